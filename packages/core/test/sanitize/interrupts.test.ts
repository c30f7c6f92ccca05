import { describe, expect, test } from "vitest";
import type { Atomic } from "../../src/contract/execution.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { World } from "../support/world.ts";

/** A driver's lock, which its interrupt handler takes, and a thread in a given way: what is reported of that. */
function reports(
  takenBy: (world: World, lock: ReturnType<World["kernel"]["sync"]["spinLock"]>) => Atomic<unknown>,
) {
  const world = new World({ cpus: 2, interruptCpu: 1, chooser: randomChooser(1) });
  const lock = world.kernel.sync.spinLock("the driver's lock");
  const line = world.machine.interrupts.connect("message");
  line.request("driver", function* () {
    yield* lock.with(function* () {});
    return "handled";
  });
  world.asKernel(function* () {
    line.raise();
    yield* takenBy(world, lock);
  });
  return world.machine.violations.list;
}

describe("a lock that an interrupt handler takes", () => {
  test("MUST be reported when somebody holds it with interrupts on, on whichever CPU the handler ran", () => {
    const [violation, ...others] = reports((_world, lock) => lock.with(function* () {}));
    expect(others).toEqual([]);
    expect(violation).toMatchObject({
      kind: "lock-order",
      object: "the driver's lock",
      message:
        "the driver's lock is taken in an interrupt handler, and held by others while interrupts are on",
      earlier: { what: "takes the driver's lock" },
    });
  });

  test("MUST NOT be reported when everybody holds it with interrupts off", () => {
    expect(reports((_world, lock) => lock.withIrqsOff(function* () {}))).toEqual([]);
  });

  test("MUST NOT be reported when others take another lock", () => {
    const other = ({ kernel }: World) => kernel.sync.spinLock("another lock");
    expect(reports((world) => other(world).with(function* () {}))).toEqual([]);
  });
});
