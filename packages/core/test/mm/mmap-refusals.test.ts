import { describe, expect, test } from "vitest";
import { EBUSY, EEXIST, EINVAL, ENODEV, ENOMEM, EOVERFLOW } from "../../src/contract/errno.ts";
import { geometries } from "../../src/mmu/geometry.ts";
import { map, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram } from "../support/world.ts";

const privately = { protection: RW, sharing: "private" } as const;

describe.each(Object.values(geometries))("the highest offset on $name", (geometry) => {
  /** Bytes that an `unsigned long` counts. */
  const word = geometry.name === "i386" ? 2 ** 32 : 2 ** 64;
  const { pageSize } = geometry;

  test("of a device is that of the last byte but one page that a word counts", () => {
    runProgram(
      (world) => {
        const device = new TestDevice(world, { mmap: () => -ENODEV });
        return function* (thread) {
          const descriptor = yield* openDevice(thread, device);
          const shape = { ...privately, length: 2 * pageSize, descriptor };
          const end = word / pageSize;
          expect(yield* thread.mmap({ ...shape, pgoff: end - 3 }), "the driver is asked").toBe(-ENODEV);
          expect(yield* thread.mmap({ ...shape, pgoff: end - 2 })).toBe(-EOVERFLOW);
          expect(yield* thread.mmap({ ...shape, pgoff: end })).toBe(-EOVERFLOW);
          expect(device.calls.filter((call) => call.startsWith("mmap"))).toHaveLength(1);
        };
      },
      { geometry: geometry.name },
    );
  });

  test("of a memory file is that of the largest file", () => {
    runProgram(
      () =>
        function* (thread) {
          const descriptor = ok(yield* thread.memfdCreate("file"));
          const shape = { ...privately, length: pageSize, descriptor };
          const end = (geometry.name === "i386" ? word * pageSize : word / 2) / pageSize;
          const last = ok(yield* thread.mmap({ ...shape, pgoff: end - 2 }));
          ok(yield* thread.munmap(last, pageSize));
          expect(yield* thread.mmap({ ...shape, pgoff: end - 1 })).toBe(-EOVERFLOW);
        },
      { geometry: geometry.name },
    );
  });

  test("is not asked for anonymous memory, unless counting pages wraps", () => {
    runProgram(
      () =>
        function* (thread) {
          const shape = { ...privately, length: pageSize };
          const at = ok(yield* thread.mmap({ ...shape, pgoff: word / pageSize - 1 }));
          ok(yield* thread.munmap(at, pageSize));
          expect(yield* thread.mmap({ ...shape, pgoff: word - 1 })).toBe(-EOVERFLOW);
        },
      { geometry: geometry.name },
    );
  });
});

describe("of several things that are wrong with a mapping", () => {
  test("the place comes before the offset: EEXIST, ENOMEM and EINVAL win over EOVERFLOW", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      const { userEnd } = world.machine.geometry;
      return function* (thread) {
        const taken = yield* map(thread, device);
        const descriptor = yield* openDevice(thread, device);
        const tooHigh = { ...privately, length: world.page, descriptor, pgoff: 2 ** 52 };
        expect(yield* thread.mmap(tooHigh)).toBe(-EOVERFLOW);
        const noReplace = { ...tooHigh, placement: "fixed-noreplace", address: taken } as const;
        expect(yield* thread.mmap(noReplace)).toBe(-EEXIST);
        const fixed = { ...tooHigh, placement: "fixed" } as const;
        expect(yield* thread.mmap({ ...fixed, address: userEnd })).toBe(-ENOMEM);
        expect(yield* thread.mmap({ ...fixed, address: taken + 1 })).toBe(-EINVAL);
        expect(yield* thread.mmap({ ...tooHigh, length: userEnd + world.page })).toBe(-ENOMEM);
      };
    });
  });

  test("a fixed place out of range comes before one that is not aligned", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { userEnd } = world.machine.geometry;
          const fixed = { ...privately, length: world.page, placement: "fixed" } as const;
          expect(yield* thread.mmap({ ...fixed, address: userEnd + 1 })).toBe(-ENOMEM);
          expect(yield* thread.mmap({ ...fixed, address: userEnd - world.page + 1 })).toBe(-ENOMEM);
          expect(yield* thread.mmap({ ...fixed, address: userEnd - 2 * world.page + 1 })).toBe(-EINVAL);
        },
    );
  });
});

test("a fixed mapping over what its driver will not have split is refused with ENOMEM, whatever the driver answered", () => {
  runProgram((world) => {
    const device = new TestDevice(world, { pages: 3, ops: { maySplit: () => -EBUSY } });
    return function* (thread) {
      const at = yield* map(thread, device);
      const fixed = { ...privately, length: world.page, placement: "fixed" } as const;
      expect(yield* thread.mmap({ ...fixed, address: at + world.page })).toBe(-ENOMEM);
      expect(yield* thread.load(at + world.page)).toBe(0x1001);
    };
  });
});
