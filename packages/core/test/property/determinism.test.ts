import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { replayChooser } from "../../src/sched/replay-chooser.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
import { Crowd } from "./crowd.ts";

function runCrowd(seed: number, chooser: Chooser) {
  const shape = { processes: 2, threads: 2, length: 10, seed, sharing: "any" } as const;
  const crowd = new Crowd(shape, { chooser, eventLog: "on" });
  crowd.run();
  const { log, sched } = crowd.world.machine;
  return { bytes: log.bytes(), length: log.length, choices: [...sched.choices] };
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

describe("the event log", () => {
  test("of the same program under the same seed is the same, byte for byte", () => {
    for (const seed of seedsBelow(8)) {
      const first = runCrowd(seed, randomChooser(seed));
      const second = runCrowd(seed, randomChooser(seed));
      expect(first.length).toBeGreaterThan(60);
      expect(same(first.bytes, second.bytes)).toBe(true);
      expect(second.choices).toEqual(first.choices);
    }
  });

  test("of another schedule of the same program is another", () => {
    const logs = [1, 2, 3].map((chooserSeed) => runCrowd(0, randomChooser(chooserSeed)).bytes);
    expect(same(logs[0]!, logs[1]!) || same(logs[1]!, logs[2]!)).toBe(false);
  });

  test("of a replay of the recorded choices is the same, byte for byte", () => {
    for (const seed of seedsBelow(8)) {
      const recorded = runCrowd(seed, randomChooser(seed + 100));
      const replayed = runCrowd(seed, replayChooser(recorded.choices));
      expect(same(recorded.bytes, replayed.bytes)).toBe(true);
      expect(replayed.choices).toEqual(recorded.choices);
    }
  });

  test("under run-to-block is the same each time, and a choice less", () => {
    const first = runCrowd(3, runToBlock);
    const second = runCrowd(3, runToBlock);
    expect(same(first.bytes, second.bytes)).toBe(true);
    expect(first.choices).toEqual([]);
  });
});
