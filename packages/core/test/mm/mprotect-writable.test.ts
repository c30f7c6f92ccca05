import { describe, expect, test } from "vitest";
import { VM_READ } from "../../src/contract/area-flags.ts";
import { PTE_WRITE } from "../../src/mmu/pte.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram } from "../support/world.ts";

/** Whether the entry at an address lets stores through. */
function isWritable({ mm }: UserThread, address: number): boolean {
  return (mm.table.entryOf(address * mm.perPage) & PTE_WRITE) !== 0;
}

describe("what becomes writable at once when an area does", () => {
  test("a private page that is this mapping's own and was written: no fault comes", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 7);
          ok(yield* thread.mprotect(at, world.page, VM_READ));
          expect(isWritable(thread, at)).toBe(false);
          ok(yield* thread.mprotect(at, world.page, RW));
          expect(isWritable(thread, at)).toBe(true);
          const faults = thread.minorFaults;
          expect(yield* thread.store(at, 8)).toBeUndefined();
          expect(thread.minorFaults).toBe(faults);
        },
    );
  });

  test("neither the page of zeros nor an object's page mapped privately", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const zeros = yield* mapAnonymous(thread, 1);
        const shown = yield* map(thread, device, { sharing: "private" });
        for (const at of [zeros, shown]) {
          yield* thread.load(at);
          ok(yield* thread.mprotect(at, world.page, VM_READ));
          ok(yield* thread.mprotect(at, world.page, RW));
          expect(isWritable(thread, at)).toBe(false);
          expect(yield* thread.store(at, 9)).toBeUndefined();
        }
        expect(device.word(0)).toBe(0x1000);
      };
    });
  });

  test("no page that a child has too: each writes its own", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 7);
          const child = yield* thread.fork(function* (own) {
            ok(yield* own.mprotect(at, world.page, VM_READ));
            ok(yield* own.mprotect(at, world.page, RW));
            expect(isWritable(own, at)).toBe(false);
            yield* own.store(at, 8);
          });
          if (typeof child !== "number") yield* child.waitForEnd();
          expect(yield* thread.load(at)).toBe(7);
        },
    );
  });

  test("a shared page whose driver was asked before a store, but none that was only read", () => {
    runProgram((world) => {
      const asked: number[] = [];
      const device = new TestDevice(world, {
        pages: 2,
        ops: {
          mkwrite: ({ pgoff }) => {
            asked.push(pgoff);
            return { kind: "installed" };
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.store(at, 7);
        yield* thread.load(at + world.page);
        ok(yield* thread.mprotect(at, 2 * world.page, VM_READ));
        ok(yield* thread.mprotect(at, 2 * world.page, RW));
        expect(isWritable(thread, at)).toBe(true);
        expect(isWritable(thread, at + world.page)).toBe(false);
        yield* thread.store(at, 8);
        yield* thread.store(at + world.page, 8);
        expect(asked).toEqual([0, 1]);
      };
    });
  });
});
