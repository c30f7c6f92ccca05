import { expect, test } from "vitest";
import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { EACCES, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import { map, mapAnonymous, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, type World } from "../support/world.ts";

/** The places that the log says were protected or advised. */
function logged(world: World, name: "mprotect" | "madvise"): number[] {
  return [...world.machine.log.events()]
    .filter((event) => event.name === name)
    .map(({ fields }) => Number(fields.address));
}

test("a protection is logged where it has changed, and nowhere else", () => {
  let at = 0;
  const world = runProgram(
    (own) => {
      const device = new TestDevice(own, { pages: 1 });
      return function* (thread) {
        at = yield* mapAnonymous(thread, 3, { address: 0x100_0000 });
        expect(yield* thread.mprotect(at, own.page, RW), "nothing to change").toBe(0);
        expect(yield* thread.mprotect(at + 1, own.page, VM_READ)).toBe(-EINVAL);
        ok(yield* thread.munmap(at + own.page, own.page));
        expect(yield* thread.mprotect(at, 3 * own.page, VM_READ), "a hole").toBe(-ENOMEM);
        const descriptor = yield* openDevice(thread, device, "read");
        const shape = { protection: VM_READ, sharing: "shared", descriptor } as const;
        const readOnly = ok(yield* thread.mmap({ ...shape, length: own.page }));
        expect(yield* thread.mprotect(readOnly, own.page, VM_WRITE)).toBe(-EACCES);
      };
    },
    { eventLog: "on" },
  );
  expect(logged(world, "mprotect")).toEqual([at]);
});

test("an advice is logged where it was followed, and nowhere else", () => {
  let at = 0;
  let bare = 0;
  const world = runProgram(
    (own) => {
      const device = new TestDevice(own, { ioPages: 1, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        at = yield* mapAnonymous(thread, 1);
        bare = yield* map(thread, device);
        expect(yield* thread.madvise(bare, own.page, "dontneed")).toBe(-EINVAL);
        expect(yield* thread.madvise(bare, own.page, "populate-read")).toBe(-EINVAL);
        ok(yield* thread.madvise(at, own.page, "populate-write"));
        ok(yield* thread.madvise(at, own.page, "dontneed"));
        ok(yield* thread.madvise(bare, own.page, "dontfork"));
      };
    },
    { eventLog: "on" },
  );
  expect(logged(world, "madvise")).toEqual([at, at, bare]);
});
