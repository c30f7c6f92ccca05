import { describe, expect, test } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, TestDevice, type TestDeviceShape } from "../support/test-device.ts";
import { ok, runProgram, trapOf } from "../support/world.ts";

const FAR = 0x2000_0000;

function* move(thread: UserThread, address: number, length: number, newAddress: number): Sleepable<void> {
  const request = { address, oldLength: length, newLength: length, moving: "may-move", newAddress } as const;
  expect(ok(yield* thread.mremap(request))).toBe(newAddress);
}

describe("large leaves", () => {
  const shape: TestDeviceShape = { ioPages: 1024, mmap: (area, self) => self.remap(area, "large") };

  test("MUST move whole where both places are aligned", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        const tables = world.machine.tables.tablesInUse;
        yield* move(thread, at, 1024 * page, FAR);
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
        yield* move(thread, at, 1024 * page, target);
        for (const index of [0, 511, 512, 1023])
          expect(yield* thread.load(target + index * page)).toBe(index * page);
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
        yield* move(thread, at + 100 * page, 600 * page, FAR);
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
