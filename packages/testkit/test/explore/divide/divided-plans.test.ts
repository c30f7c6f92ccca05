import { describe, expect, it } from "vitest";
import type { DividedPlan } from "#src/explore/divide/divided-plan";
import type { Division } from "#src/explore/divide/division";
import { exploreProgram } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import * as programs from "../benchmarks.ts";
import { exploreDivided, type Led } from "./divided-plain.ts";

/** Threads of which some runs take more steps than others, and some deadlock. */
const uneven: PlainProgram = ({ variable, lock, thread }) => {
  const x = variable(0);
  const [one, other] = [lock(), lock()];
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    thread(function* () {
      yield* first.lock();
      const seen = yield* x.update((value) => value + 1);
      yield* second.lock();
      for (let time = 0; time < seen; time++) yield* x.read();
      second.unlock();
      first.unlock();
    });
  }
  thread(() => x.write(5));
  return () => x.value;
};

const known: readonly (readonly [string, PlainProgram])[] = [
  ["IRIW", programs.independentReads],
  ["deadlock", programs.deadlock],
  ["lastzero(3)", programs.lastZero(3)],
  ["binc(4)", programs.increments(4, 2)],
  ["lockinc(4)", programs.lockedIncrements(4)],
  ["uneven", uneven],
];

const plans: readonly DividedPlan[] = [
  { preemptions: 0 },
  { preemptions: 1 },
  { preemptions: 2 },
  { random: 1 },
  { random: 70, seed: 3 },
  { pct: 70 },
  { pct: 33, depth: 3, seed: -4 },
  { pct: 20, depth: 1 },
];

const divisions: readonly Division[] = [
  { first: 1, parts: 1, runs: 1 },
  { first: 1, parts: 50, runs: 1 },
  { first: 7, parts: 4, runs: 3 },
  { first: 500, parts: 32, runs: 250 },
];

/** What does not depend on how a search is divided. */
async function sumOf(program: PlainProgram, led: Led) {
  const { executions, complete, coverage, finalStates, counterexamples } = await exploreDivided(program, led);
  const problems = counterexamples.map(({ problems }) => problems[0]);
  return { executions, complete, coverage, finalStates, problems };
}

function undivided(program: PlainProgram, algorithm: DividedPlan) {
  const found = exploreProgram(program, { algorithm });
  const { executions, complete, coverage, finalStates, failures } = found;
  return {
    ...{ executions, complete, coverage },
    finalStates: finalStates.map((state) => JSON.stringify(state)),
    problems: failures.map(({ message }) => message).sort(),
  };
}

describe.each(plans)("a search by %j MUST come to the same in parts, however it is cut:", (plan) => {
  it.each(known)("%s", async (_name, program) => {
    const whole = undivided(program, plan);
    for (const division of divisions) {
      expect(await sumOf(program, { plan, division }), JSON.stringify(division)).toEqual(whole);
    }
  });
});

it("a search with a bound MUST be complete in parts when no preemption more leads further", async () => {
  const led: Led = { plan: { preemptions: 20 }, division: { first: 7, parts: 4, runs: 3 } };
  const { executions, complete } = await exploreDivided(programs.deadlock, led);
  expect({ executions, complete }).toEqual({
    executions: exploreProgram(programs.deadlock, { algorithm: "exhaustive" }).executions,
    complete: true,
  });
});

describe.each(plans)("the course of a search by %j in parts", (plan) => {
  const division = { first: 5, parts: 6, runs: 4 };

  it.each([2, 7])("MUST be the same for %i parts at a time as for one", async (width) => {
    for (const [, program] of known) {
      expect(await exploreDivided(program, { plan, division, width })).toEqual(
        await exploreDivided(program, { plan, division }),
      );
    }
  });

  it.each([1, 7])("MUST be the same when it is saved after every %i runs", async (piece) => {
    for (const [, program] of known) {
      const unbroken = await exploreDivided(program, { plan, division });
      const broken = await exploreDivided(program, { plan, division, width: 3, piece });
      expect({ ...broken, parts: 0, pieces: 0 }).toEqual({ ...unbroken, parts: 0, pieces: 0 });
      if (piece < unbroken.executions) expect(broken.pieces).toBeGreaterThan(1);
    }
  });
});

it("a search with a bound MUST hand out several parts at a time as soon as it can", async () => {
  const led: Led = { plan: { preemptions: 2 }, division: { first: 5, parts: 6, runs: 4 } };
  const { parts, executions } = await exploreDivided(programs.increments(4, 2), led);
  expect(parts).toBeGreaterThan(executions / 4);
});
