import { expect, test } from "vitest";
import { EBUSY, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram } from "../support/world.ts";

test("PF-09 msync of a bare pfn area MUST succeed", () => {
  runProgram((world) => {
    const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
    return function* (thread) {
      const at = yield* map(thread, device, { pages: 2 });
      expect(yield* thread.msync(at, 2 * world.page, { writing: "sync" })).toBe(0);
    };
  });
});

test("msync MUST refuse what is not aligned with EINVAL, holes with ENOMEM, and to invalidate locked memory with EBUSY", () => {
  runProgram(
    (world) =>
      function* (thread) {
        const at = yield* mapAnonymous(thread, 3, { address: 0x100_0000 });
        expect(yield* thread.msync(at + 1, world.page)).toBe(-EINVAL);
        expect(yield* thread.msync(at, -world.page)).toBe(-ENOMEM);
        expect(yield* thread.msync(at, 0)).toBe(0);
        expect(yield* thread.msync(at, 3 * world.page)).toBe(0);
        expect(yield* thread.msync(at, 4 * world.page)).toBe(-ENOMEM);
        ok(yield* thread.munmap(at + world.page, world.page));
        expect(yield* thread.msync(at, 3 * world.page, { writing: "async" })).toBe(-ENOMEM);
        ok(yield* thread.mlock(at, world.page));
        expect(yield* thread.msync(at, world.page, { others: "invalidate" })).toBe(-EBUSY);
        expect(yield* thread.msync(at, world.page)).toBe(0);
      },
  );
});
