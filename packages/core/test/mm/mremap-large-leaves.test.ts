import { describe, expect, test } from "vitest";
import { map, TestDevice, type TestDeviceShape } from "../support/test-device.ts";
import { ok, RW, runProgram, trapOf } from "../support/world.ts";

const FAR = 0x2000_0000;

describe("large leaves", () => {
  const shape: TestDeviceShape = { ioPages: 1024, mmap: (area, self) => self.remap(area, "large") };

  test("MUST move whole where both places are aligned", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        const tables = world.machine.tables.tablesInUse;
        ok(
          yield* thread.mremap({
            address: at,
            oldLength: 1024 * page,
            newLength: 1024 * page,
            moving: "may-move",
            newAddress: FAR,
          }),
        );
        expect(world.machine.tables.tablesInUse).toBeLessThanOrEqual(tables);
        expect(yield* thread.load(FAR + 700 * page)).toBe(700 * page);
        world.expectAgreement();
      };
    });
  });

  test("MUST be split and moved page by page where they are not", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        const target = FAR + 3 * page;
        ok(
          yield* thread.mremap({
            address: at,
            oldLength: 1024 * page,
            newLength: 1024 * page,
            moving: "may-move",
            newAddress: target,
          }),
        );
        for (const index of [0, 511, 512, 1023])
          expect(yield* thread.load(target + index * page)).toBe(index * page);
        expect(RW).toBe(3);
        world.expectAgreement();
      };
    });
  });

  test("MUST be split where only part of one moves", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        ok(
          yield* thread.mremap({
            address: at + 100 * page,
            oldLength: 600 * page,
            newLength: 600 * page,
            moving: "may-move",
            newAddress: FAR,
          }),
        );
        expect(yield* thread.load(at + 99 * page)).toBe(99 * page);
        expect(trapOf(yield* thread.load(at + 100 * page))).toBe("SIGSEGV SEGV_MAPERR");
        expect(yield* thread.load(FAR)).toBe(100 * page);
        expect(yield* thread.load(FAR + 599 * page)).toBe(699 * page);
        expect(yield* thread.load(at + 700 * page)).toBe(700 * page);
        world.expectAgreement();
      };
    });
  });
});
