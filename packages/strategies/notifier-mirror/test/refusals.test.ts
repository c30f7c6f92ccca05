import {
  createKernel,
  type DeviceMirror,
  Machine,
  type MmuNotifier,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { expect, it } from "vitest";
import { intervalMirror, notifierMirror } from "../src/index.ts";

const RANGES = 64;

/**
 * A process discards one buffer after the other, and in the middle of each invalidation the device asks for all of them:
 * how many of its requests one invalidation turns away. Counts, not time: the same on every machine.
 */
function refusedPerInvalidation(mirror: DeviceMirror): number {
  const machine = new Machine({ ramPages: 512 });
  const kernel = createKernel(machine);
  const page = machine.geometry.pageSize;
  let refused = 0;
  let invalidations = 0;
  machine.spawn("user", function* (thread) {
    const protection = VM_READ | VM_WRITE;
    const memory = yield* thread.mmap({ length: 2 * RANGES * page, protection, sharing: "private" });
    const starts = Array.from({ length: RANGES }, (_, index) => (memory + 2 * index * page) as UserAddress);
    for (const start of starts) yield* thread.store(start, 1);
    const ranges = starts.map((start) => ({ start, end: (start + page) as UserAddress }));
    const follower = yield* mirror.create(kernel).follow({ mm: thread.mm, ranges, stop: () => {} });
    if (typeof follower === "number") throw new Error(`follow answered ${follower}`);
    // Told last, when the follower knows of the invalidation.
    const device: MmuNotifier = {
      name: "device",
      *invalidateRangeBegin() {
        invalidations++;
        for (const start of starts) if ((yield* follower.populateAtomic(start, "read")) !== 0) refused++;
        return 0;
      },
    };
    yield* kernel.mappings.registerNotifier(thread.mm, device);
    for (const start of starts) {
      yield* thread.madvise(start, page, "dontneed");
      yield* thread.store(start, 1);
    }
    yield* kernel.mappings.unregisterNotifier(thread.mm, device);
    yield* follower.detach();
  });
  expect(machine.sched.run().status).toBe("finished");
  for (const { failure } of machine.sched.tasks) expect(failure).toBeUndefined();
  expect(machine.violations.list).toEqual([]);
  expect(invalidations).toBe(RANGES);
  return refused / invalidations;
}

it("ranges that do not overlap MUST NOT hold each other off in the interval form", () => {
  const list = refusedPerInvalidation(notifierMirror);
  const interval = refusedPerInvalidation(intervalMirror);
  console.info(`populates refused per invalidation, of ${RANGES} ranges: list ${list}, interval ${interval}`);
  expect(list).toBe(RANGES);
  expect(interval).toBe(1);
});
