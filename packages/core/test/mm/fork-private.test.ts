import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { hold, PIN, release } from "../support/hold-pages.ts";
import { mapAnonymous } from "../support/test-device.ts";
import { inChild, runProgram, World } from "../support/world.ts";

describe("private memory after fork", () => {
  test("MUST be shared until somebody writes, and then belong to the writer", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 2);
          yield* thread.store(at, 1);
          yield* thread.store(at + world.page, 2);
          const free = world.machine.memory.freeFrames;
          yield* inChild(thread, function* (own) {
            expect(world.machine.memory.freeFrames).toBe(free);
            expect(yield* own.load(at)).toBe(1);
            yield* own.store(at, 11);
            expect(yield* own.load(at)).toBe(11);
            expect(world.machine.memory.freeFrames).toBe(free - 1);
            yield* own.nanosleep(100);
            expect(yield* own.load(at + world.page)).toBe(2);
          });
          expect(yield* thread.load(at)).toBe(1);
          const copied = world.machine.stats.pagesCopied;
          yield* thread.store(at, 5);
          yield* thread.store(at + world.page, 6);
          expect(world.machine.stats.pagesCopied).toBe(copied);
          expect(world.machine.memory.freeFrames).toBe(free);
          expect(frames.count).toBeGreaterThan(0);
        },
    );
  });

  test("written by the parent first MUST leave the child with what was there at fork", () => {
    runProgram(
      () =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          const child = yield* thread.fork(function* (own) {
            yield* own.nanosleep(100);
            expect(yield* own.load(at)).toBe(1);
          });
          yield* thread.store(at, 2);
          if (typeof child === "number") throw new Error("no child");
          yield* child.waitForEnd();
          expect(yield* thread.load(at)).toBe(2);
        },
    );
  });

  test("MUST NOT be written through a stale translation of another CPU, over random schedules", () => {
    for (const seed of seedsBelow(80)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      world.run(function* (thread) {
        const at = yield* mapAnonymous(thread, 1);
        yield* thread.store(at, 0);
        let forked = false;
        let lastBefore = 0;
        thread.spawn(function* (own) {
          for (let round = 1; round <= 4; round++) {
            const was = forked;
            yield* own.store(at, round);
            if (!was) lastBefore = round;
          }
        });
        const child = yield* thread.fork(function* (own) {
          const first = yield* own.load(at);
          yield* own.nanosleep(10);
          expect(yield* own.load(at)).toBe(first);
          expect(first).toBeLessThanOrEqual(lastBefore);
        });
        forked = true;
        if (typeof child === "number") throw new Error("no child");
        yield* child.waitForEnd();
        world.expectAgreement();
      });
      world.finish();
    }
  });

  test("of a chain of children MUST each keep what they saw", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          function* descend(own: UserThread, depth: number): Sleepable<void> {
            yield* own.store(at, depth);
            if (depth < 5) yield* inChild(own, (next) => descend(next, depth + 1));
            expect(yield* own.load(at)).toBe(depth);
            world.expectAgreement();
          }
          yield* descend(thread, 0);
        },
    );
  });
});

describe("pinned private memory", () => {
  test("GP-04 MUST stay the parent's at fork: the child gets a copy at once", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 2);
          yield* thread.store(at, 1);
          yield* thread.store(at + world.page, 2);
          const pages = yield* hold(world, thread, at, 1);
          const copied = world.machine.stats.pagesCopied;
          yield* inChild(thread, function* (own) {
            expect(world.machine.stats.pagesCopied).toBe(copied + 1);
            yield* thread.store(at, 42);
            expect(frames.view.getUint32(pages[0]! * world.page, true)).toBe(42);
            expect(yield* own.load(at)).toBe(1);
            yield* own.store(at, 7);
            expect(frames.view.getUint32(pages[0]! * world.page, true)).toBe(42);
            world.expectAgreement();
          });
          yield* world.kernel.user.releasePage(thread.mm, pages[0]!, "pin", "dirty");
          expect(yield* thread.load(at)).toBe(42);
        },
    );
  });

  test("GP-05 a plain reference MUST NOT protect it: the parent's later stores go elsewhere", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          const reference = { ...PIN, hold: "reference" } as const;
          const pages = yield* hold(world, thread, at, 1, reference);
          yield* inChild(thread, function* () {
            yield* thread.store(at, 42);
          });
          expect(frames.view.getUint32(pages[0]! * world.page, true)).toBe(1);
          expect(yield* thread.load(at)).toBe(42);
          yield* release(world, thread, pages, reference);
        },
    );
  });
});
