import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_READ } from "../../src/contract/area-flags.ts";
import { EAGAIN, EBUSY, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import { oom } from "../../src/contract/outcome.ts";
import type { Mm } from "../../src/mm/mm.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram } from "../support/world.ts";

function locked(mm: Mm): readonly boolean[] {
  return mm.areas.all().map(({ flags }) => areaFlagNames(flags).includes("lo"));
}

describe("mlock", () => {
  test("MUST bring every page in, charge it, and munlock MUST give the charge back", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 4);
          expect(yield* thread.mlock(at + world.page, 2 * world.page)).toBe(0);
          expect(locked(thread.mm)).toEqual([false, true, false]);
          expect([thread.mm.lockedPages, thread.mm.rssAnon]).toEqual([2, 2]);
          expect(yield* thread.munlock(at, 4 * world.page)).toBe(0);
          expect(thread.mm.lockedPages).toBe(0);
          expect(thread.mm.rssAnon).toBe(2);
          world.expectAgreement();
        },
    );
  });

  test("RC-07 over the limit MUST be refused with ENOMEM; pages locked already are counted once", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 5);
          expect(yield* thread.mlock(at, 3 * world.page)).toBe(0);
          expect(yield* thread.mlock(at, 5 * world.page)).toBe(-ENOMEM);
          expect(thread.mm.lockedPages).toBe(3);
          expect(yield* thread.mlock(at, 4 * world.page)).toBe(0);
          expect(thread.mm.lockedPages).toBe(4);
          expect(yield* thread.mlock(at + world.page, world.page)).toBe(0);
        },
      { lockLimitPages: 4 },
    );
  });

  test("RC-07 of a special area MUST succeed, lock nothing and charge nothing", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        expect(yield* thread.mlock(at, 2 * world.page)).toBe(0);
        expect(thread.mm.lockedPages).toBe(0);
        expect(locked(thread.mm)).toEqual([false]);
      };
    });
  });

  test("of a hole MUST be refused with ENOMEM", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3, { address: 0x100_0000 });
          ok(yield* thread.munmap(at + world.page, world.page));
          expect(yield* thread.mlock(at, 3 * world.page)).toBe(-ENOMEM);
          expect(yield* thread.mlock(0x200_0000, world.page)).toBe(-ENOMEM);
          expect(yield* thread.mlock(world.machine.geometry.userEnd, world.page)).toBe(-ENOMEM);
          expect(yield* thread.mlock(at, -world.page)).toBe(-EINVAL);
          expect(yield* thread.mlock(at, 0)).toBe(0);
        },
    );
  });

  test("of a page that cannot be had MUST be answered with ENOMEM, for lack of memory with EAGAIN", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      const lacking = new TestDevice(world, { path: "/dev/lacking", pages: 1, ops: { nopage: () => oom } });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        expect(yield* thread.mlock(at, 2 * world.page)).toBe(-ENOMEM);
        expect(yield* thread.mlock(yield* map(thread, lacking), world.page)).toBe(-EAGAIN);
        const none = yield* mapAnonymous(thread, 1, { protection: 0 });
        expect(yield* thread.mlock(none, world.page)).toBe(-ENOMEM);
      };
    });
  });

  test("of a shared mapping MUST NOT write to it, of a private one MUST", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const shared = yield* map(thread, device);
        expect(yield* thread.mlock(shared, 2 * world.page)).toBe(0);
        expect(device.takeCalls().slice(1)).toEqual(["nopage 0 read", "nopage 1 read"]);
        const own = yield* map(thread, device, { sharing: "private" });
        expect(yield* thread.mlock(own, world.page)).toBe(0);
        expect(device.takeCalls().slice(-1)).toEqual(["nopage 0 write"]);
        const readable = yield* map(thread, device, { sharing: "private", protection: VM_READ });
        expect(yield* thread.mlock(readable, world.page)).toBe(0);
        expect(device.takeCalls().slice(-1)).toEqual(["nopage 0 read"]);
      };
    });
  });

  test("LC-09 of part of an area that may not be split MUST fail with the driver's errno", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2, ops: { maySplit: () => -EBUSY } });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.mlock(at, world.page)).toBe(-EBUSY);
        expect(thread.mm.lockedPages).toBe(0);
      };
    });
  });

  test("RC-07 a child MUST NOT inherit it, and unmapping MUST give the charge back", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3, { locking: "locked" });
          const born = yield* thread.fork(function* (own) {
            expect(own.mm.lockedPages).toBe(0);
            expect(locked(own.mm)).toEqual([false]);
            expect(yield* own.load(at)).toBe(0);
          });
          if (typeof born === "number") throw new Error("no child");
          yield* born.waitForEnd();
          ok(yield* thread.munmap(at, 2 * world.page));
          expect(thread.mm.lockedPages).toBe(1);
        },
    );
  });
});
