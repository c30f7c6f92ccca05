import { describe, expect, test } from "vitest";
import { ENXIO } from "../../src/contract/errno.ts";
import { map, mapAnonymous, TestDevice, tryMap } from "../support/test-device.ts";
import { runProgram, trapOf } from "../support/world.ts";

describe("MAP_FIXED over a mapping", () => {
  test("MM-06 the old mapping MUST be closed before the new hook runs", () => {
    runProgram((world) => {
      const old = new TestDevice(world, { path: "/dev/old", pages: 2 });
      const calls = old.calls;
      const next = new TestDevice(world, {
        path: "/dev/next",
        pages: 2,
        mmap: () => {
          calls.push("hook of the new one");
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, old);
        yield* thread.load(at);
        yield* map(thread, next, { address: at, placement: "fixed" });
        expect(old.takeCalls()).toEqual([
          "mmap [0, 2)",
          "nopage 0 read",
          "close [0, 2)",
          "release",
          "hook of the new one",
        ]);
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(next.takeCalls().at(-1)).toBe("nopage 0 read");
      };
    });
  });

  test("MM-06 when the new hook fails the range MUST stay empty", () => {
    runProgram((world) => {
      const refusing = new TestDevice(world, { pages: 1, mmap: () => -ENXIO });
      return function* (thread) {
        const at = yield* mapAnonymous(thread, 3);
        yield* thread.store(at + world.page, 1);
        expect(yield* tryMap(thread, refusing, { address: at + world.page, placement: "fixed" })).toBe(
          -ENXIO,
        );
        expect(trapOf(yield* thread.load(at + world.page))).toBe("SIGSEGV SEGV_MAPERR");
        expect(yield* thread.load(at)).toBe(0);
        expect(yield* thread.load(at + 2 * world.page)).toBe(0);
        expect(thread.mm.totalPages).toBe(2);
      };
    });
  });
});
