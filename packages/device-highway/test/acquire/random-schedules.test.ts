import { randomChooser } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { acquire } from "../../src/index.ts";
import { testSignal } from "../support/signals.ts";
import { buildWorld, combinations, holdings } from "../support/worlds.ts";

const seeds = seedsBelow(30);
const signal = testSignal(1300, 2);

describe("the acquisition under random schedules", () => {
  it.each(combinations)(
    "%s showing %s: MUST bring every byte, break no rule and leave nothing behind on any of them",
    (_name, backing, strategy) => {
      let touched = 0;
      for (const seed of seeds) {
        const world = buildWorld({
          strategy,
          highway: {
            backing,
            interfaces: 2,
            burstBytes: 1024,
            interrupts: seed % 2 === 0 ? "level" : "message",
          },
          machine: { chooser: randomChooser(seed), eventLog: "off", ramPages: 128, cpus: 1 + (seed % 3) },
        });
        const before = holdings(world.machine);
        const result = acquire(world, signal, { pollers: 2, blockBytes: 1500, workNs: 3000, pollNs: 700 });
        const { equal, failure, violations, wrongValues, otherTraps } = result;
        expect({ seed, equal, failure, violations, wrongValues, otherTraps }).toEqual({
          seed,
          equal: true,
          failure: undefined,
          violations: [],
          wrongValues: 0,
          otherTraps: 0,
        });
        expect({ seed, ...holdings(world.machine) }).toEqual({ seed, ...before });
        touched += result.waits.count + result.sigbus;
      }
      expect(touched).toBeGreaterThan(seeds.length);
    },
  );

  it("MUST be repeated exactly by the same seed", () => {
    const run = () => {
      const world = buildWorld({ machine: { chooser: randomChooser(7) } });
      const result = acquire(world, signal, { pollers: 2, blockBytes: 1500 });
      return { result, log: world.machine.log.bytes(), choices: world.machine.sched.choices };
    };
    const [one, other] = [run(), run()];
    expect(other.result).toEqual(one.result);
    expect(other.choices).toEqual(one.choices);
    expect(Buffer.compare(one.log, other.log)).toBe(0);
  });
});
