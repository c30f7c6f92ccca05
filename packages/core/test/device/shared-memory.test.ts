import { expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { isTrap } from "../../src/contract/signals.ts";
import { Machine } from "../../src/machine.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";

test("TR-03 a page that is truncated away while a fault has found it MUST NOT be used any more", () => {
  for (const seed of seedsBelow(1500)) {
    const machine = new Machine({ ramPages: 64, chooser: randomChooser(seed) });
    const free = machine.memory.freeFrames;
    machine.spawn("p", function* (thread) {
      const descriptor = yield* thread.memfdCreate("file");
      yield* thread.ftruncate(descriptor, 8192);
      const protection = VM_READ | VM_WRITE;
      const address = yield* thread.mmap({ length: 8192, protection, sharing: "shared", descriptor });
      yield* thread.store(address + 4096, 7);
      yield* thread.madvise(address, 8192, "dontneed");
      thread.spawn(function* (other) {
        yield* other.ftruncate(descriptor, 4096);
      });
      const value = yield* thread.load(address + 4096);
      expect(isTrap(value) || value === 7).toBe(true);
    });
    const { status, waiting } = machine.sched.run();
    const failures = machine.sched.tasks.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
    expect({ status, waiting, failures, violations: machine.violations.list }).toEqual({
      status: "finished",
      waiting: [],
      failures: [],
      violations: [],
    });
    expect(machine.memory.freeFrames).toBe(free);
  }
}, 60_000);
