import {
  type AllocationGate,
  createKernel,
  ENOMEM,
  Machine,
  type Sleepable,
  type UserAddress,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { failEveryAllocation } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { intervalMirror, notifierMirror } from "../src/index.ts";

function build(allocations: AllocationGate) {
  const machine = new Machine({ ramPages: 128, allocations });
  return { machine, kernel: createKernel(machine) };
}

/** Two pages far from each other, written to, as ranges to follow. */
function* twoRanges(
  thread: UserThread,
  bytes: number,
): Sleepable<{ start: UserAddress; end: UserAddress }[]> {
  const ranges: { start: UserAddress; end: UserAddress }[] = [];
  for (const address of [0x1000_0000, 0x2000_0000]) {
    const how = { length: bytes, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
    const start = (yield* thread.mmap({ ...how, address })) as UserAddress;
    yield* thread.store(start, 1);
    ranges.push({ start, end: (start + bytes) as UserAddress });
  }
  return ranges;
}

describe.each([notifierMirror, intervalMirror])("$name with each of its allocations refused", (mirror) => {
  it("following two ranges MUST be ENOMEM, and leave nothing behind that is told of the exit", () => {
    let stops = 0;
    const stop = () => {
      stops++;
    };
    const trials = failEveryAllocation({
      name: "follow",
      build,
      *program({ world: { machine, kernel }, thread, inject, refused }) {
        const ranges = yield* twoRanges(thread, machine.geometry.pageSize);
        const request = { mm: thread.mm, ranges, stop };
        const answer = yield* inject(() => mirror.create(kernel).follow(request));
        if (refused() !== undefined) expect(answer).toBe(-ENOMEM);
        else if (typeof answer === "number") throw new Error(`follow answered ${answer}`);
        if (typeof answer !== "number") yield* answer.detach();
      },
    });
    expect(stops).toBe(0);
    // The interval form takes something for each range.
    expect(trials.length).toBeGreaterThanOrEqual(mirror === intervalMirror ? 2 : 1);
  });

  it.each(["populate", "populateAtomic"] as const)(
    "%s MUST be ENOMEM without a table for the device, and do when it is asked again",
    (form) => {
      const trials = failEveryAllocation({
        name: form,
        build,
        *program({ world: { machine, kernel }, thread, inject, refused }) {
          const ranges = yield* twoRanges(thread, machine.geometry.pageSize);
          const follower = yield* mirror.create(kernel).follow({ mm: thread.mm, ranges, stop: () => {} });
          if (typeof follower === "number") throw new Error(`follow answered ${follower}`);
          for (const { start } of ranges) {
            const before = refused();
            const answer = yield* inject(() => follower[form](start, "write"));
            expect(answer).toBe(refused() === before ? 0 : -ENOMEM);
            expect(follower.translate(start, "write") === undefined).toBe(answer !== 0);
            expect(yield* follower[form](start, "write")).toBe(0);
          }
          yield* follower.detach();
        },
      });
      expect(trials.length).toBeGreaterThanOrEqual(2);
    },
  );
});
