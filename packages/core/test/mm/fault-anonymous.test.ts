import { describe, expect, test } from "vitest";
import { mapAnonymous } from "../support/test-device.ts";
import { runProgram, trapOf } from "../support/world.ts";

describe("anonymous memory", () => {
  test("MUST show zeros at first, at the cost of no page until it is written", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3);
          const free = world.machine.memory.freeFrames;
          for (let page = 0; page < 3; page++) expect(yield* thread.load(at + page * world.page)).toBe(0);
          expect([world.machine.memory.freeFrames, thread.mm.rss]).toEqual([free, 0]);
          yield* thread.store(at + world.page, 1);
          expect([world.machine.memory.freeFrames, thread.mm.rssAnon]).toEqual([free - 1, 1]);
          expect(yield* thread.load(at)).toBe(0);
          expect(yield* thread.load(at + world.page)).toBe(1);
          world.expectAgreement();
        },
    );
  });

  test("MUST be zero also where the frame had other contents before", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const first = yield* mapAnonymous(thread, 8);
          for (let page = 0; page < 8; page++)
            yield* thread.storeBlock(first + page * world.page, new Uint8Array(world.page).fill(0xee));
          yield* thread.munmap(first, 8 * world.page);
          const at = yield* mapAnonymous(thread, 8);
          for (let page = 0; page < 8; page++) {
            yield* thread.store(at + page * world.page + 4, 1);
            expect(yield* thread.load(at + page * world.page)).toBe(0);
            expect(yield* thread.load(at + page * world.page + world.page - 4)).toBe(0);
          }
        },
    );
  });

  test("MUST be written in place by accesses of every width, across pages too", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          const edge = at + world.page;
          yield* thread.store(edge - 2, 0x11223344);
          expect(yield* thread.load(edge - 2)).toBe(0x11223344);
          expect(yield* thread.load(edge - 2, 2)).toBe(0x3344);
          expect(yield* thread.load(edge, 1)).toBe(0x22);
          yield* thread.store64(edge - 4, 0x0102030405060708n);
          expect(yield* thread.load64(edge - 4)).toBe(0x0102030405060708n);
          expect(yield* thread.load64(edge - 4 + 1)).toBe(0x0001020304050607n);
          yield* thread.store64(at, 0xffff_ffff_ffff_fff0n);
          expect(yield* thread.load64(at)).toBe(0xffff_ffff_ffff_fff0n);
          yield* thread.store(at, 0x1ff, 1);
          expect(yield* thread.load(at, 2)).toBe(0xffff);
          const block = Uint8Array.from({ length: 100 }, (_, index) => index);
          yield* thread.storeBlock(edge - 50, block);
          expect(yield* thread.loadBlock(edge - 50, 100)).toEqual(block);
        },
    );
  });

  test("a block that runs into a hole MUST be copied up to it", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2, { address: 0x40_0000 });
          yield* thread.munmap(at + world.page, world.page);
          const result = yield* thread.storeBlock(at + world.page - 8, new Uint8Array(16).fill(3));
          expect(trapOf(result)).toBe("SIGSEGV SEGV_MAPERR");
          expect(yield* thread.load(at + world.page - 4)).toBe(0x03030303);
        },
    );
  });
});
