import { describe, expect, test } from "vitest";
import { installed, sigbus } from "../../src/contract/outcome.ts";
import { map, TestDevice } from "../support/test-device.ts";
import { runProgram, trapOf, World } from "../support/world.ts";

describe("mkwrite", () => {
  test("FR-15 MUST be asked at the first store to a page that was only read, and once", () => {
    runProgram((world) => {
      const asked: number[] = [];
      const device = new TestDevice(world, {
        pages: 2,
        ops: {
          mkwrite: (fault) => {
            asked.push(fault.pgoff);
            return installed;
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        yield* thread.load(at + world.page);
        expect(asked).toEqual([]);
        yield* thread.store(at + world.page, 3);
        yield* thread.store(at + world.page, 4);
        expect(asked).toEqual([1]);
        yield* thread.store(at, 5);
        expect(asked).toEqual([1, 0]);
        expect(device.word(1)).toBe(4);
        world.expectAgreement();
      };
    });
  });

  test("FR-15 MUST be asked when the first access is a store", () => {
    runProgram((world) => {
      let asked = 0;
      const device = new TestDevice(world, {
        pages: 1,
        ops: {
          *mkwrite() {
            yield* world.kernel.time.sleep(5);
            asked++;
            return installed;
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.store(at, 5);
        expect(asked).toBe(1);
        expect(device.word(0)).toBe(5);
      };
    });
  });

  test.each([false, true])(
    "FR-15 an error from it MUST become SIGBUS, with nothing leaked (page present: %s)",
    (present) => {
      runProgram((world) => {
        const device = new TestDevice(world, { pages: 1, ops: { mkwrite: () => sigbus } });
        return function* (thread) {
          const at = yield* map(thread, device);
          if (present) yield* thread.load(at);
          expect(trapOf(yield* thread.store(at, 5))).toBe("SIGBUS BUS_ADRERR");
          expect(device.word(0)).toBe(0x1000);
          expect(device.extraReferences).toEqual([present ? 1 : 0]);
          expect(yield* thread.load(at)).toBe(0x1000);
        };
      });
    },
  );

  test("that throws is reported by name, and the thread gets SIGBUS", () => {
    for (const present of [false, true]) {
      const world = new World();
      const device = new TestDevice(world, {
        pages: 1,
        ops: {
          mkwrite: () => {
            throw new Error("no");
          },
        },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        if (present) yield* thread.load(at);
        expect(trapOf(yield* thread.store(at, 5))).toBe("SIGBUS BUS_ADRERR");
      });
      expect(world.messages).toEqual(["test device: mkwrite threw Error: no"]);
      world.finish("contract");
    }
  });

  test("MUST NOT be asked for a private mapping", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1, ops: { mkwrite: () => sigbus } });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        yield* thread.load(at);
        expect(yield* thread.store(at, 5)).toBeUndefined();
        expect(device.word(0)).toBe(0x1000);
      };
    });
  });
});
