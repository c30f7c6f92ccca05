import { describe, expect, it } from "vitest";
import { createKernel, Machine, randomChooser } from "../../src/index.ts";

/** A thread on CPU 0 counts under a lock that the handler of an interrupt on CPU 0 takes too. */
function run(seed: number, take: "with" | "withIrqsOff") {
  const machine = new Machine({ cpus: 1, chooser: randomChooser(seed) });
  const { sync } = createKernel(machine);
  const lock = sync.spinLock("shared with the handler");
  const cell = sync.shared("count", 0);
  const line = machine.interrupts.connect("message", 0);
  const count = function* () {
    yield* cell.set((yield* cell.get()) + 1);
  };
  line.request("test", function* () {
    yield* lock.with(count);
    return "handled";
  });
  machine.sched.spawn(
    { name: "counter", kind: "kernel", cpu: 0 },
    (function* () {
      for (let round = 0; round < 4; round++) yield* lock[take](count);
    })(),
  );
  machine.sched.spawn(
    { name: "device", kind: "hardware", cpu: -1 },
    (function* () {
      for (let round = 0; round < 4; round++) {
        yield* cell.get();
        line.raise();
      }
    })(),
  );
  const { status } = machine.sched.run();
  return { status, count: status === "finished" ? cell.get().next().value : undefined };
}

const seeds = Array.from({ length: 100 }, (_, seed) => seed);

describe("a spinlock that an interrupt handler takes too", () => {
  it("MUST NOT be interrupted on its own CPU when it is taken with interrupts off", () => {
    const ends = seeds.map((seed) => run(seed, "withIrqsOff").status);
    expect(new Set(ends)).toEqual(new Set(["finished"]));
  });

  it("MUST end in a deadlock on some schedule when interrupts stay on", () => {
    const ends = seeds.map((seed) => run(seed, "with").status);
    expect(ends).toContain("deadlock");
  });
});
