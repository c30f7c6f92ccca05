import { describe, expect, it } from "vitest";
import { runsOf, seedsBelow } from "../../../../tools/exploration.ts";
import type { Atomic, Sleepable } from "../../src/contract/execution.ts";
import type { Mm } from "../../src/mm/mm.ts";
import { Access, ObjectKind } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { World } from "../support/world.ts";

const follower = { name: "follower" };

type Call = (world: World, mm: Mm) => Sleepable<unknown>;

/** What waits for a grace period, and whether the follower is there already. */
const calls: readonly (readonly [string, Call, boolean])[] = [
  ["register", ({ kernel }, mm) => kernel.mappings.registerNotifier(mm, follower), false],
  ["unregister", ({ kernel }, mm) => kernel.mappings.unregisterNotifier(mm, follower), true],
];

describe.each(calls)("%s", (_name, call, isRegisteredBefore) => {
  it("MUST return only when every RCU reader is done that might still use the old list", () => {
    let inside = 0;
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      const { machine, kernel } = world;
      const { sched } = machine;
      const cell = sched.nextObject();
      let readers = 0;
      let ended = 0;
      function* section(): Atomic<void> {
        readers++;
        for (let step = 0; step < 20; step++) yield sched.at(ObjectKind.cell, cell, Access.write);
        ended++;
      }
      const { status } = world.run(function* (thread) {
        if (isRegisteredBefore) yield* kernel.mappings.registerNotifier(thread.mm, follower);
        for (const cpu of [1, 2])
          sched.spawn({ name: "reader", kind: "kernel", cpu }, machine.rcu.read(section));
        while (readers === 0) yield sched.at(ObjectKind.cell, cell, Access.write);
        const before = readers;
        if (ended < before) inside++;
        yield* call(world, thread.mm);
        expect({ seed, areDone: ended >= before }).toEqual({ seed, areDone: true });
        if (!isRegisteredBefore) yield* kernel.mappings.unregisterNotifier(thread.mm, follower);
      });
      expect({ seed, status }).toEqual({ seed, status: "finished" });
      world.finish();
    }
    expect(inside).toBeGreaterThan(runsOf(100) / 2);
  });
});
