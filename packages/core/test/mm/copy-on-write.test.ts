import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { VM_READ } from "../../src/contract/area-flags.ts";
import type { Page, UserAddress } from "../../src/contract/units.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { Access, describeObject } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { Task } from "../../src/sched/task.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, started, World } from "../support/world.ts";

describe("a store to a private page", () => {
  test("that was only read MUST copy the object's page and leave it unchanged", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(device.extraReferences).toEqual([1]);
        yield* thread.store(at + 4, 1);
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(device.extraReferences).toEqual([0]);
        expect([thread.mm.rssFile, thread.mm.rssAnon]).toEqual([0, 1]);
        expect(world.machine.stats.pagesCopied).toBe(1);
        world.expectAgreement();
      };
    });
  });

  test("of zeros MUST give the writer a page of its own", () => {
    runProgram(
      () =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          expect(yield* thread.load(at)).toBe(0);
          const faults = thread.minorFaults;
          yield* thread.store(at + 8, 3);
          expect(thread.minorFaults - faults).toBe(1);
          expect(yield* thread.load(at)).toBe(0);
          expect(thread.mm.rssAnon).toBe(1);
        },
    );
  });

  test("that somebody holds by a plain reference MUST be copied; one held by nobody else MUST NOT", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { memory, stats } = world.machine;
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          const page = Math.floor(thread.mm.table.entryOf(at / world.page) / 4096) as Page;
          const child = yield* thread.fork(function* () {});
          if (typeof child === "number") throw new Error("no child");
          yield* child.waitForEnd();
          const request = { access: "read", hold: "reference", permission: "checked" } as const;
          const held = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, request);
          expect(held).toEqual([page]);
          const copied = stats.pagesCopied;
          yield* thread.store(at, 2);
          expect(stats.pagesCopied).toBe(copied + 1);
          expect(memory.frames.view.getUint32(page * world.page, true)).toBe(1);
          yield* world.kernel.user.releasePage(thread.mm, page, "reference", "clean");
          expect(memory.frames.isAllocated(page)).toBe(false);
        },
    );
  });

  test("without memory for the copy MUST be tried again, with nothing leaked", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: () => isGiven } });
    const device = new TestDevice(world, { pages: 1 });
    world.run(function* (thread) {
      const at = yield* map(thread, device, { sharing: "private" });
      yield* thread.load(at);
      const writer = started(
        thread.spawn(function* (own) {
          yield* own.store(at, 1);
        }),
      );
      isGiven = false;
      yield* thread.nanosleep(5_000_000);
      expect(writer.isAlive).toBe(true);
      expect(device.extraReferences).toEqual([1]);
      isGiven = true;
      yield* thread.nanosleep(5_000_000);
      expect(writer.isAlive).toBe(false);
      expect(device.extraReferences).toEqual([0]);
    });
    world.finish();
  });
});

describe("the contents of a copy", () => {
  /** Runs the first task until it has read a frame's contents while armed, then all others to their end, then goes on. */
  class PauseAfterCopy implements Chooser {
    readonly name = "pause after the copy";
    readonly interleaves = true;
    isArmed = false;
    #isPaused = false;

    choose(enabled: readonly Task[]): Task {
      const first = enabled.find((task) => task.id === 0);
      const other = enabled.find((task) => task.id !== 0);
      if (first === undefined || (this.#isPaused && other !== undefined)) return other ?? enabled[0]!;
      const readsContents = describeObject(first.announcedObject).startsWith("contents of frame");
      if (this.isArmed && readsContents && first.announcedAccess === Access.read) this.#isPaused = true;
      return first;
    }
  }

  test("MUST be those of what is mapped when it takes its place, though the frame was freed and used anew meanwhile", () => {
    const chooser = new PauseAfterCopy();
    const world = new World({ chooser });
    world.run(function* (thread) {
      const { page } = world;
      const descriptor = ok(yield* thread.memfdCreate("file"));
      ok(yield* thread.ftruncate(descriptor, page));
      const shape = { length: page, protection: RW, descriptor } as const;
      const own = ok(yield* thread.mmap({ ...shape, sharing: "private" }));
      const shared = ok(yield* thread.mmap({ ...shape, sharing: "shared" }));
      yield* thread.store(shared, 1);
      ok(yield* thread.munmap(shared, page));
      yield* thread.load(own);
      let isCut = false;
      thread.spawn(function* (other) {
        ok(yield* other.ftruncate(descriptor, 0));
        ok(yield* other.ftruncate(descriptor, page));
        expect(yield* other.load(own)).toBe(0);
        isCut = true;
      });
      chooser.isArmed = true;
      yield* thread.store(own + 4, 9);
      expect(isCut).toBe(true);
      expect([yield* thread.load(own), yield* thread.load(own + 4)]).toEqual([0, 9]);
    });
    world.finish();
  });
});

describe("two writers of one private page", () => {
  test("MUST end with one copy, and both stores in it, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      const device = new TestDevice(world, { pages: 1 });
      world.run(function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        yield* thread.load(at);
        thread.spawn(function* (own) {
          yield* own.store(at + 4, 1);
        });
        yield* thread.store(at + 8, 2);
        yield* thread.nanosleep(100);
        expect([yield* thread.load(at), yield* thread.load(at + 4), yield* thread.load(at + 8)]).toEqual([
          0x1000, 1, 2,
        ]);
        expect(thread.mm.rssAnon).toBe(1);
        expect(device.extraReferences).toEqual([0]);
        world.expectAgreement();
      });
      world.finish();
    }
  });

  test("in two processes MUST each have their own, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      world.run(function* (thread) {
        const at = yield* mapAnonymous(thread, 1);
        yield* thread.store(at, 5);
        const child = yield* thread.fork(function* (own) {
          yield* own.store(at, 6);
          expect(yield* own.load(at)).toBe(6);
        });
        yield* thread.store(at, 7);
        expect(yield* thread.load(at)).toBe(7);
        if (typeof child === "number") throw new Error("no child");
        yield* child.waitForEnd();
        world.expectAgreement();
      });
      world.finish();
    }
  });
});

describe("a page made private while another thread pins it", () => {
  test("MUST NOT be copied away from the pin, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      world.run(function* (thread) {
        const { frames } = world.machine.memory;
        const at = yield* mapAnonymous(thread, 1);
        yield* thread.store(at, 1);
        const child = yield* thread.fork(function* (own) {
          yield* own.nanosleep(10);
        });
        let pinned: Page | undefined;
        const pinner = started(
          thread.spawn(function* () {
            const request = { access: "write", hold: "pin", permission: "checked" } as const;
            const pages = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, request);
            if (typeof pages !== "number") pinned = pages[0];
          }),
        );
        yield* thread.store(at, 2);
        while (pinner.isAlive) yield* thread.nanosleep(10);
        yield* thread.store(at, 3);
        if (pinned === undefined) throw new Error("no pin");
        expect(frames.view.getUint32(pinned * world.page, true)).toBe(3);
        yield* world.kernel.user.releasePage(thread.mm, pinned, "pin", "dirty");
        if (typeof child === "number") throw new Error("no child");
        yield* child.waitForEnd();
      });
      world.finish();
    }
  });
});

describe("a private mapping that is read-only", () => {
  test("MUST show stores of others to the object until it is copied", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const shared = yield* map(thread, device);
        const own = yield* map(thread, device, { sharing: "private", protection: VM_READ });
        expect(yield* thread.load(own)).toBe(0x1000);
        yield* thread.store(shared, 5);
        expect(yield* thread.load(own)).toBe(5);
        ok(yield* thread.mprotect(own, world.page, RW));
        yield* thread.store(own + 4, 1);
        yield* thread.store(shared, 6);
        expect(yield* thread.load(own)).toBe(5);
      };
    });
  });
});
