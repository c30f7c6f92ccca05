import type { Kernel, Machine, Sleepable } from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Outcome } from "../../support/missed-outcomes.ts";

/** Some invalidations of one mm, each by a thread of its own, and followers that are registered meanwhile. */
function invalidationsAndFollowers(invalidations: number, followers: number) {
  return (machine: Machine, kernel: Kernel, outcome: Outcome) => {
    const mm = machine.createMm("followed");
    const heard: string[] = [];
    outcome.heard = heard;
    for (let at = 0; at < invalidations; at++) {
      kernelThread(machine, `invalidation ${at}`, function* (): Sleepable<void> {
        const invalidation = yield* mm.notifiers.begin(0x10000, 0x20000, "clear");
        heard.push(`${at} begun`);
        yield* mm.notifiers.end(invalidation);
      });
    }
    for (let at = 0; at < followers; at++) {
      const name = `follower ${at}`;
      kernelThread(machine, name, function* () {
        outcome[name] = yield* kernel.mappings.registerNotifier(mm, { name });
      });
    }
  };
}

for (const [invalidations, followers] of [
  [2, 1],
  [1, 2],
] as const) {
  it(`which of ${invalidations} invalidations ends last MUST be tried against ${followers} that register`, () => {
    const { missed, reached, isComplete } = missedOutcomes(
      invalidationsAndFollowers(invalidations, followers),
    );
    expect(missed).toEqual([]);
    expect(isComplete).toBe(true);
    expect(reached.length).toBeGreaterThan(0);
  });
}
