import { describe, expect, test } from "vitest";
import { map, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf } from "../support/world.ts";

describe("a private mapping of bare frames", () => {
  test("RE-12 MUST show the device to reads, give a writer a copy, and leave the device alone", () => {
    for (const leaves of ["single", "large"] as const) {
      runProgram((world) => {
        const device = new TestDevice(world, {
          ioPages: 512,
          mmap: (area, self) => self.remap(area, leaves),
        });
        return function* (thread) {
          const at = yield* map(thread, device, { pages: 512, sharing: "private" });
          const shared = yield* map(thread, device, { pages: 512, pgoff: 0 });
          expect(yield* thread.load(at + 5 * world.page)).toBe(5 * world.page);
          device.registers.accesses.length = 0;
          yield* thread.store(at + 5 * world.page + 4, 99);
          expect(device.registers.accesses.filter((access) => access.startsWith("write"))).toEqual([]);
          expect(yield* thread.load(at + 5 * world.page + 4)).toBe(99);
          expect(yield* thread.load(at + 5 * world.page)).toBe(5 * world.page);
          expect(yield* thread.load(shared + 5 * world.page + 4)).toBe(5 * world.page + 4);
          expect([thread.mm.rssFile, thread.mm.rssAnon]).toEqual([0, 1]);
          world.expectAgreement();
          ok(yield* thread.munmap(at, 512 * world.page));
          expect(thread.mm.rss).toBe(0);
        };
      });
    }
  });

  test("RE-12 MUST keep its copies when the device is revoked without them, and lose them with them", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2, sharing: "private" });
        yield* thread.store(at, 9);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "shared-only");
        expect(yield* thread.load(at)).toBe(9);
        expect(trapOf(yield* thread.load(at + world.page))).toBe("SIGBUS BUS_ADRERR");
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
        expect(thread.mm.rss).toBe(0);
      };
    });
  });

  test("RE-11 MUST be copied to a child, copies of the writer included, so that it needs no fault to read", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2, sharing: "private" });
        yield* thread.store(at, 9);
        const born = yield* thread.fork(function* (own) {
          expect(yield* own.load(at)).toBe(9);
          expect(yield* own.load(at + world.page)).toBe(world.page);
          expect(own.minorFaults).toBe(0);
          yield* own.store(at + world.page, 3);
          yield* own.store(at, 4);
          expect(own.mm.rssAnon).toBe(2);
        });
        if (typeof born === "number") throw new Error("no child");
        yield* born.waitForEnd();
        expect(yield* thread.load(at)).toBe(9);
        expect(yield* thread.load(at + world.page)).toBe(world.page);
      };
    });
  });
});
