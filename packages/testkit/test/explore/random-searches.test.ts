import { exploreProgram, type PlainProgram, type SearchPlan } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { PriorityOdds } from "#src/explore/priority-odds";
import { PrioritySearch } from "#src/explore/priority-search";
import { PlainRun } from "#src/explore/program/plain-run";

/** Threads that each read a variable and then write one more: four steps where there are two. */
const lostUpdate =
  (threads: number): PlainProgram =>
  ({ variable, thread }) => {
    const x = variable(0);
    for (let number = 0; number < threads; number++) {
      thread(function* () {
        const before = yield* x.read();
        yield* x.write(before + 1);
      });
    }
    return () => x.value;
  };

/** The same, judged by whether all have read the variable before anybody wrote it, and by who wrote it last. */
const allLost =
  (threads: number): PlainProgram =>
  ({ variable, thread }) => {
    const x = variable(-1);
    let early = 0;
    for (let number = 0; number < threads; number++) {
      thread(function* () {
        if ((yield* x.read()) === -1) early++;
        yield* x.write(number);
      });
    }
    return () => (early === threads ? x.value : "some counted");
  };

/** How many of the runs end so. */
function hits(threads: number, depth: number, runs: number, isHit: (state: unknown) => boolean): number {
  const search = new PrioritySearch(runs, depth, 7);
  const run = new PlainRun(allLost(threads));
  let count = 0;
  while (search.runNext(run)) if (isHit(run.outcome.state)) count++;
  return count;
}

const isLost = (state: unknown): boolean => typeof state === "number";

/** Whether so many of the runs are what an event of this probability shows, within three standard deviations. */
function mustBeNear(count: number, runs: number, probability: number): void {
  const deviation = Math.sqrt(runs * probability * (1 - probability));
  expect(Math.abs(count - runs * probability)).toBeLessThan(3 * deviation);
}

describe("a search by random priorities", () => {
  it("loses an update of two threads in one run of four: the one change point of four steps must follow the first read", () => {
    mustBeNear(hits(2, 2, 20_000, isLost), 20_000, 1 / 4);
  });

  it("loses two updates of three threads in one run of eighteen: change points after the first two reads, in either order", () => {
    mustBeNear(hits(3, 3, 20_000, isLost), 20_000, 2 / 36);
  });

  it("leaves the word to a given one of the three in one run of 54: each is the last to write as often as the others", () => {
    const isFirst = (state: unknown): boolean => state === 0;
    mustBeNear(hits(3, 3, 40_000, isFirst), 40_000, 1 / 54);
  });

  it("loses none without change points", () => {
    expect(hits(2, 1, 1000, isLost)).toBe(0);
  });

  it("promises no more than it keeps, by the numbers that it has seen", () => {
    const search = new PrioritySearch(101, 2, 1);
    const run = new PlainRun(lostUpdate(2));
    while (search.runNext(run)) {}
    const { tasks, steps, runs, probability } = search.bound;
    // The first run only looks.
    expect({ tasks, steps, runs }).toEqual({ tasks: 2, steps: 4, runs: 100 });
    expect(probability).toBeCloseTo(1 - (1 - 1 / 8) ** 100, 12);
  });
});

describe("what runs by priorities promise", () => {
  it("counts runs although there turn out to be more tasks, as that changes nothing in how they were drawn", () => {
    const odds = new PriorityOdds(2);
    odds.learn(1, 2, 4);
    odds.learn(10, 2, 4);
    odds.learn(5, 3, 4);
    expect(odds.bound).toMatchObject({ tasks: 3, steps: 4, runs: 15 });
    expect(odds.bound.probability).toBeCloseTo(1 - (1 - 1 / 12) ** 15, 12);
  });

  it("counts none that drew from fewer steps than a run has, and leaves room for runs a little longer", () => {
    const odds = new PriorityOdds(2);
    odds.learn(1, 2, 16);
    odds.learn(10, 2, 40);
    expect(odds.bound).toMatchObject({ steps: 45, runs: 0, probability: 0 });
    odds.learn(20, 2, 45);
    expect(odds.bound).toMatchObject({ steps: 45, runs: 20 });
  });

  it("counts all runs without change points, however long they are", () => {
    const odds = new PriorityOdds(1);
    odds.learn(1, 2, 16);
    odds.learn(10, 2, 40);
    expect(odds.bound).toMatchObject({ tasks: 2, runs: 11, probability: 1 - (1 - 1 / 2) ** 11 });
  });
});

describe.each<SearchPlan>([
  { random: 50, seed: 3 },
  { pct: 50, seed: 3 },
])("%j", (algorithm) => {
  it("finds both final states, is the same for the same seed, and is never complete", () => {
    const found = exploreProgram(lostUpdate(2), { algorithm });
    expect(found).toMatchObject({ executions: 50, complete: false, finalStates: [1, 2] });
    expect(exploreProgram(lostUpdate(2), { algorithm })).toEqual(found);
    expect(found.coverage).toContain("seed 3");
  });
});

it.each<[SearchPlan, string]>([
  [{ random: 0 }, "random is 0; expected a whole number from 1 on, nearest is 1"],
  [{ pct: 2.6 }, "pct is 2.6; expected a whole number from 1 on, nearest is 3"],
  [{ pct: 5, depth: 0 }, "depth is 0; expected a whole number from 1 to 1000, nearest is 1"],
  [{ pct: 5, depth: 1e9 }, "depth is 1000000000; expected a whole number from 1 to 1000, nearest is 1000"],
  [
    { random: 5, seed: 2 ** 31 },
    "expected a whole number from -2147483648 to 2147483647, nearest is 2147483647",
  ],
  [{ preemptions: -1 }, "preemptions is -1; expected a whole number from 0 on, nearest is 0"],
])("%j makes no sense", (algorithm, message) => {
  expect(() => exploreProgram(lostUpdate(2), { algorithm })).toThrow(message);
});
