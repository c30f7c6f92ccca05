import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Division } from "#src/explore/divide/division";
import { exploreProgram } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import * as programs from "../benchmarks.ts";
import { largerThreads, lockingThreads, programOf } from "../random-plain-programs.ts";
import { exploreDivided, type Led } from "./divided-plain.ts";

const known: readonly (readonly [string, PlainProgram, number])[] = [
  ["SB", programs.storeBuffer, 3],
  ["IRIW", programs.independentReads, 15],
  ["deadlock", programs.deadlock, 3],
  ["readers(5)", programs.readers(5), 32],
  ["lastzero(5)", programs.lastZero(5), 64],
  ["indexer(12)", programs.indexer(12), 8],
  ["filesystem(16)", programs.fileSystem(16), 8],
  ["ainc(5)", programs.increments(5, 1), 120],
  ["binc(3)", programs.increments(3, 2), 36],
  ["casrot(5)", programs.casRotation(5), 43],
  ["lockinc(4)", programs.lockedIncrements(4), 24],
];

const large: readonly (readonly [string, PlainProgram, number])[] = [
  ["readers(9)", programs.readers(9), 512],
  ["lastzero(7)", programs.lastZero(7), 320],
  ["filesystem(19)", programs.fileSystem(19), 64],
  ["binc(4)", programs.increments(4, 2), 576],
  ["casrot(8)", programs.casRotation(8), 2048],
];

/** From parts that are cut after every run to parts of a size as in use. */
const divisions: readonly Division[] = [
  { first: 1, parts: 1, runs: 1 },
  { first: 1, parts: 50, runs: 1 },
  { first: 2, parts: 4, runs: 3 },
  { first: 20, parts: 8, runs: 17 },
];

/** What does not depend on how a search is divided. */
async function sumOf(program: PlainProgram, led: Led) {
  const { executions, abandoned, finalStates, counterexamples } = await exploreDivided(program, led);
  const problems = counterexamples.map(({ problems }) => problems[0]);
  return { executions, abandoned, complete: true, finalStates, problems };
}

/** The same of an undivided search. One by source sets has no mistake in common with the optimal one but by chance. */
function undivided(
  program: PlainProgram,
  algorithm: "source" | "optimal" = "source",
  maxExecutions = 10_000,
) {
  const options = { algorithm, maxExecutions };
  const { executions, complete, finalStates, failures } = exploreProgram(program, options);
  return {
    complete,
    executions,
    abandoned: 0,
    finalStates: finalStates.map((state) => JSON.stringify(state)),
    problems: failures.map(({ message }) => message).sort(),
  };
}

describe("a search in parts MUST make one run for each trace and give none up, however it is cut:", () => {
  it.each(known)("%s", async (_name, program, count) => {
    const whole = undivided(program);
    expect(whole.executions).toBe(count);
    for (const division of divisions) {
      expect(await sumOf(program, { division }), JSON.stringify(division)).toEqual(whole);
    }
  });

  it.each(large)("%s", async (_name, program, count) => {
    const whole = undivided(program);
    expect(whole.executions).toBe(count);
    expect(await sumOf(program, { division: { first: 50, parts: 16, runs: 40 } })).toEqual(whole);
  });

  it("random small programs", async () => {
    expect(await countDivided(largerThreads, "source")).toBeGreaterThan(20);
  });

  it("random small programs with locks", async () => {
    expect(await countDivided(lockingThreads, "optimal")).toBeGreaterThan(20);
  });
});

/** How many random programs were divided, all of them without a difference to another algorithm, or to no division. */
async function countDivided(threads: typeof largerThreads, algorithm: "source" | "optimal"): Promise<number> {
  let divided = 0;
  const division = fc.record({
    first: fc.integer({ min: 1, max: 5 }),
    parts: fc.integer({ min: 1, max: 6 }),
    runs: fc.integer({ min: 1, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(threads, division, async (bodies, division) => {
      const program = programOf(bodies);
      const whole = undivided(program, algorithm, 150);
      if (!whole.complete) return;
      if (whole.executions > 10) divided++;
      expect(await sumOf(program, { division })).toEqual(whole);
    }),
    { seed: 20_261_121, numRuns: 150 },
  );
  return divided;
}

describe("the course of a search in parts", () => {
  const division = { first: 5, parts: 6, runs: 4 };

  it.each([2, 3, 7])("MUST be the same for %i parts at a time as for one", async (width) => {
    for (const [, program] of known) {
      expect(await exploreDivided(program, { division, width })).toEqual(
        await exploreDivided(program, { division }),
      );
    }
  });

  it.each([1, 2, 7, 100])("MUST be the same when it is saved after every %i runs", async (piece) => {
    let pieces = 0;
    for (const [, program, count] of known) {
      const unbroken = await exploreDivided(program, { division });
      const broken = await exploreDivided(program, { division, width: 3, piece });
      expect({ ...broken, parts: 0, pieces: 0 }).toEqual({ ...unbroken, parts: 0, pieces: 0 });
      if (piece < count) expect(broken.pieces).toBeGreaterThan(1);
      pieces += broken.pieces;
    }
    expect(pieces).toBeGreaterThan(known.length);
  });

  it("MUST hand out several parts at a time as soon as it can", async () => {
    const { parts, executions } = await exploreDivided(programs.casRotation(6), { division });
    expect(parts).toBeGreaterThan(executions / division.runs);
  });
});

describe("the estimate of what remains", () => {
  it("MUST end at the number of runs, and be of its size from half way on", async () => {
    for (const [, program, count] of known) {
      const totals: number[] = [];
      await exploreDivided(program, {
        division: { first: 5, parts: 4, runs: 3 },
        watch: ({ executions, remaining = Number.NaN }) => totals.push(executions + remaining),
      });
      expect(totals.at(-1)).toBe(count);
      if (count < 20) continue;
      const late = totals.slice(Math.floor(totals.length / 2));
      for (const total of late) expect(total / count).toBeGreaterThan(0.3);
      for (const total of late) expect(total / count).toBeLessThan(3);
    }
  });
});
