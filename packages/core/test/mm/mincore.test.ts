import { expect, test } from "vitest";
import { EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram } from "../support/world.ts";

test("PF-09 mincore of a bare pfn area MUST succeed and show nothing", () => {
  runProgram((world) => {
    const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
    return function* (thread) {
      const at = yield* map(thread, device, { pages: 2 });
      yield* thread.load(at);
      expect(yield* thread.mincore(at, 2 * world.page)).toEqual([false, false]);
    };
  });
});

test("mincore MUST show pages that have an entry, and those of a memory file that are there without one", () => {
  runProgram(
    (world) =>
      function* (thread) {
        const own = yield* mapAnonymous(thread, 3);
        yield* thread.store(own + world.page, 1);
        expect(yield* thread.mincore(own, 3 * world.page - 1)).toEqual([false, true, false]);
        const descriptor = ok(yield* thread.memfdCreate("file"));
        ok(yield* thread.ftruncate(descriptor, 2 * world.page));
        const at = ok(
          yield* thread.mmap({ length: 2 * world.page, protection: RW, sharing: "shared", descriptor }),
        );
        yield* thread.store(at + world.page, 1);
        ok(yield* thread.madvise(at, 2 * world.page, "dontneed"));
        expect(yield* thread.mincore(at, 2 * world.page)).toEqual([false, true]);
        expect(yield* thread.mincore(at, 0)).toEqual([]);
      },
  );
});

test("mincore MUST refuse what is not aligned with EINVAL and what is not mapped with ENOMEM", () => {
  runProgram(
    (world) =>
      function* (thread) {
        const at = yield* mapAnonymous(thread, 1);
        expect(yield* thread.mincore(at + 1, 1)).toBe(-EINVAL);
        expect(yield* thread.mincore(at, 2 * world.page)).toBe(-ENOMEM);
        expect(yield* thread.mincore(at, -1)).toBe(-ENOMEM);
        expect(yield* thread.mincore(at, 2 ** 50)).toBe(-ENOMEM);
      },
  );
});
