import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { EBADF, EINVAL } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { mapAnonymous, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, started, trapOf, World } from "../support/world.ts";

/** A memory file of some pages, mapped whole; its descriptor stays open. */
function* mapFile(
  thread: UserThread,
  pages: number,
  sharing: "shared" | "private" = "shared",
): Sleepable<{ readonly descriptor: number; readonly at: number }> {
  const { pageSize } = thread.machine.geometry;
  const descriptor = ok(yield* thread.memfdCreate("file"));
  ok(yield* thread.ftruncate(descriptor, pages * pageSize));
  const at = ok(yield* thread.mmap({ length: pages * pageSize, protection: RW, sharing, descriptor }));
  return { descriptor, at };
}

describe("a memory file", () => {
  test("TR-01 past its end MUST be SIGBUS, and after growing again zeros", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const { descriptor, at } = yield* mapFile(thread, 3);
          for (let index = 0; index < 3; index++) yield* thread.store(at + index * page + 8, 7);
          ok(yield* thread.ftruncate(descriptor, page));
          expect(yield* thread.load(at + 8)).toBe(7);
          expect(trapOf(yield* thread.load(at + page))).toBe("SIGBUS BUS_ADRERR");
          expect(trapOf(yield* thread.store(at + 2 * page, 1))).toBe("SIGBUS BUS_ADRERR");
          ok(yield* thread.ftruncate(descriptor, 3 * page));
          expect(yield* thread.load(at + page + 8)).toBe(0);
          expect(yield* thread.load(at + 8)).toBe(7);
          world.expectAgreement();
        },
    );
  });

  test("TR-01 cut inside a page MUST show zeros from there on when it grows again", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const { descriptor, at } = yield* mapFile(thread, 1);
          yield* thread.store(at + 96, 0x01010101);
          yield* thread.store(at + 100, 0x02020202);
          ok(yield* thread.ftruncate(descriptor, 100));
          expect(yield* thread.load(at + 96)).toBe(0x01010101);
          ok(yield* thread.ftruncate(descriptor, page));
          expect(yield* thread.load(at + 100)).toBe(0);
        },
    );
  });

  test("TR-02 truncated MUST lose private copies past the end as well", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const { descriptor, at } = yield* mapFile(thread, 2, "private");
          yield* thread.store(at, 1);
          yield* thread.store(at + page, 2);
          ok(yield* thread.ftruncate(descriptor, page));
          expect(yield* thread.load(at)).toBe(1);
          expect(trapOf(yield* thread.load(at + page))).toBe("SIGBUS BUS_ADRERR");
          expect(thread.mm.rssAnon).toBe(1);
        },
    );
  });

  test("MUST be seen alike by everybody who maps it, and by nobody who maps it privately and wrote", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { descriptor, at } = yield* mapFile(thread, 1);
          const again = ok(
            yield* thread.mmap({ length: world.page, protection: RW, sharing: "shared", descriptor }),
          );
          const own = ok(
            yield* thread.mmap({ length: world.page, protection: RW, sharing: "private", descriptor }),
          );
          yield* thread.store(at, 5);
          expect(yield* thread.load(again)).toBe(5);
          expect(yield* thread.load(own)).toBe(5);
          yield* thread.store(own, 6);
          yield* thread.store(again, 7);
          expect(yield* thread.load(at)).toBe(7);
          expect(yield* thread.load(own)).toBe(6);
        },
    );
  });

  test("MUST keep its pages while no area shows them, and lose them with its last user", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const free = world.machine.memory.freeFrames;
          const { descriptor, at } = yield* mapFile(thread, 2);
          yield* thread.store(at, 5);
          ok(yield* thread.munmap(at, 2 * world.page));
          const again = ok(
            yield* thread.mmap({ length: world.page, protection: RW, sharing: "shared", descriptor }),
          );
          expect(yield* thread.load(again)).toBe(5);
          ok(yield* thread.close(descriptor));
          expect(yield* thread.load(again)).toBe(5);
          ok(yield* thread.munmap(again, world.page));
          expect(world.machine.memory.freeFrames).toBe(free);
        },
    );
  });

  test("MUST refuse sizes below 0 and files of another kind", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const descriptor = ok(yield* thread.memfdCreate("file"));
        expect(yield* thread.ftruncate(descriptor, -1)).toBe(-EINVAL);
        expect(yield* thread.ftruncate(9, 1)).toBe(-EBADF);
        expect(yield* thread.ftruncate(yield* openDevice(thread, device), 1)).toBe(-EINVAL);
      };
    });
  });

  test("without memory for a page MUST try again until there is some", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: () => isGiven } });
    world.run(function* (thread) {
      const { at } = yield* mapFile(thread, 1);
      const other = started(
        thread.spawn(function* (own) {
          yield* own.store(at, 1);
        }),
      );
      isGiven = false;
      yield* thread.nanosleep(5_000_000);
      expect(other.isAlive).toBe(true);
      isGiven = true;
      yield* thread.nanosleep(5_000_000);
      expect(other.isAlive).toBe(false);
    });
    world.finish();
  });

  test("TR-03 that is truncated while it is touched MUST leave no entry past its end, over random schedules", () => {
    for (const seed of seedsBelow(150)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      world.run(function* (thread) {
        const { page } = world;
        const { descriptor, at } = yield* mapFile(thread, 2, seed % 2 === 0 ? "shared" : "private");
        let isCut = false;
        thread.spawn(function* (own) {
          for (let round = 0; round < 3; round++) {
            const was = isCut;
            const result = yield* own.store(at + page, 0x5a5a);
            if (was) expect(trapOf(result)).toBe("SIGBUS BUS_ADRERR");
          }
        });
        ok(yield* thread.ftruncate(descriptor, page));
        isCut = true;
        expect(thread.mm.table.entryOf(at / page + 1)).toBe(0);
        yield* mapAnonymous(thread, 3, { populating: "populate" });
        yield* thread.nanosleep(100);
        world.expectAgreement();
      });
      world.finish();
    }
  });

  test("that grows and shrinks under two threads MUST keep the books in order, over random schedules", () => {
    for (const seed of seedsBelow(80)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      world.run(function* (thread) {
        const { page } = world;
        const { descriptor, at } = yield* mapFile(thread, 4);
        for (const sizes of [
          [1, 4, 2],
          [3, 0, 4],
        ]) {
          thread.spawn(function* (own) {
            for (const pages of sizes) ok(yield* own.ftruncate(descriptor, pages * page));
          });
        }
        for (let round = 0; round < 4; round++) yield* thread.store(at + round * page, round);
        yield* thread.nanosleep(100);
        world.expectAgreement();
      });
      world.finish();
    }
  });
});
