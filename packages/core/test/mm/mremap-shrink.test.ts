import { describe, expect, test } from "vitest";
import { EBUSY, EFAULT, EINVAL } from "../../src/contract/errno.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { RW, runProgram } from "../support/world.ts";

describe("mremap that shrinks", () => {
  test("LC-20 holds the mmap lock for reading only while close runs: faults elsewhere do not wait", () => {
    const order: string[] = [];
    runProgram((world) => {
      const closing = new TestDevice(world, {
        path: "/dev/closing",
        pages: 2,
        ops: {
          *close(area) {
            if (area.pages === 2) return;
            order.push("close begins");
            yield* world.kernel.time.sleep(100);
            order.push("close ends");
          },
        },
      });
      return function* (thread) {
        const one = yield* map(thread, closing);
        const two = yield* mapAnonymous(thread, 1);
        thread.spawn(function* (own) {
          yield* own.nanosleep(50);
          yield* own.store(two, 1);
          order.push("fault elsewhere");
        });
        const shrunk = { address: one, oldLength: 2 * world.page, newLength: world.page };
        expect(yield* thread.mremap(shrunk)).toBe(one);
        expect(order).toEqual(["close begins", "fault elsewhere", "close ends"]);
      };
    });
  });

  test("a range that reaches out of the address space, or a driver's veto, is refused with nothing changed", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2, ops: { maySplit: () => -EBUSY } });
      const { userEnd } = world.machine.geometry;
      return function* (thread) {
        const at = yield* map(thread, device);
        const shrunk = { address: at, oldLength: 2 * world.page, newLength: world.page };
        expect(yield* thread.mremap({ ...shrunk, oldLength: userEnd })).toBe(-EINVAL);
        const elsewhere = { moving: "may-move", newAddress: 0x4000_0000, oldLength: userEnd } as const;
        expect(yield* thread.mremap({ ...shrunk, ...elsewhere })).toBe(-EINVAL);
        expect(yield* thread.mremap(shrunk)).toBe(-EBUSY);
        expect(yield* thread.mremap({ ...shrunk, address: at + 2 * world.page })).toBe(-EFAULT);
        expect(yield* thread.load(at + world.page)).toBe(0x1001);
        expect(yield* thread.mprotect(at, 2 * world.page, RW), "the lock was given back").toBe(0);
      };
    });
  });
});

describe("mremap that duplicates", () => {
  test("asks the driver about a split at the place itself, even where the area begins, but not where it ends", () => {
    const asked: number[] = [];
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 2,
        ops: {
          maySplit: (_area, address) => {
            asked.push(address);
            return -EBUSY;
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        const copy = { oldLength: 0, newLength: world.page, moving: "may-move" } as const;
        expect(yield* thread.mremap({ ...copy, address: at })).toBe(-EBUSY);
        expect(yield* thread.mremap({ ...copy, address: at + world.page })).toBe(-EBUSY);
        expect(asked).toEqual([at, at + world.page]);
        expect(device.mapped).toBe(1);
      };
    });
  });
});
