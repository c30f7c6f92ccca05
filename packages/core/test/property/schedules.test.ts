import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
import { Crowd, type CrowdShape } from "./crowd.ts";

const shape = { processes: 3, threads: 2, length: 14 } as const;

describe.each(["any", "private"] as const)("three processes of two threads with %s mappings", (sharing) => {
  test("keep all books in order and leave nothing behind, under random schedules", () => {
    for (const seed of seedsBelow(25)) {
      new Crowd({ ...shape, seed, sharing }, { chooser: randomChooser(seed) }).run();
    }
  });

  test("do so under run-to-block", () => {
    for (const seed of seedsBelow(40)) new Crowd({ ...shape, seed, sharing }, { chooser: runToBlock }).run();
  });
});

describe.each(["i386", "alpha", "arm64-64k"] as const)("on %s", (geometry) => {
  test("they do so too", () => {
    for (const seed of seedsBelow(4)) {
      const small: CrowdShape = { ...shape, length: 8, seed, sharing: "any" };
      new Crowd(small, { chooser: randomChooser(seed), geometry }).run();
    }
  });
});

describe("a crowd on one CPU", () => {
  test("keeps its address spaces apart in the TLB", () => {
    for (const seed of seedsBelow(10)) {
      new Crowd(
        { ...shape, seed, sharing: "private" },
        { chooser: randomChooser(seed), cpus: 1, tlbEntries: 8 },
      ).run();
    }
    expect(shape.processes).toBe(3);
  });
});
