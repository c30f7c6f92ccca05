import { describe, expect, test } from "vitest";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
import { Crowd } from "./crowd.ts";

/** Refuses one allocation in `every`, beginning with the `first` after it was switched on. */
function failing(first: number, every: number) {
  let asked = Number.NEGATIVE_INFINITY;
  let refused = 0;
  const mayAllocate = (): boolean => {
    const isRefused = ++asked >= first && (asked - first) % every === 0;
    if (isRefused) refused++;
    return !isRefused;
  };
  const start = (): void => {
    asked = 0;
  };
  return { gate: { mayAllocate }, start, refused: () => refused };
}

describe("processes that lack memory now and then", () => {
  test("keep all books in order and leave nothing behind, whichever allocation fails", () => {
    let refusals = 0;
    for (let first = 1; first <= 60; first++) {
      const { gate, start, refused } = failing(first, 7 + (first % 5));
      const shape = { processes: 2, threads: 1, length: 30, seed: first % 6, sharing: "any" } as const;
      const crowd = new Crowd(shape, { chooser: runToBlock, allocations: gate });
      start();
      crowd.run();
      refusals += refused();
    }
    expect(refusals).toBeGreaterThan(100);
  });

  test("do so under random schedules", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { gate, start } = failing(seed, 5 + (seed % 7));
      const shape = { processes: 3, threads: 2, length: 12, seed, sharing: "private" } as const;
      const crowd = new Crowd(shape, { chooser: randomChooser(seed), allocations: gate });
      start();
      crowd.run();
    }
  });
});
