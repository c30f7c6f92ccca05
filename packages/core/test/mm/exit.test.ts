import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { MmuNotifier } from "../../src/contract/mmu-notifier.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import type { Vma } from "../../src/mm/vma.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { map, mapAnonymous, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, World } from "../support/world.ts";

describe("the end of a process", () => {
  test("LC-19 MUST go in order: followers let go, everything is unmapped and freed, areas are closed, files are released", () => {
    const world = new World();
    const order: string[] = [];
    const { frames } = world.machine.memory;
    let ownPage = 0;
    const state = (): string => {
      const entries = ["gone", "there"][Number(frames.refcount[ownPage] > 0)];
      return `private page ${entries}, references ${device.extraReferences.join()}`;
    };
    const device: TestDevice = new TestDevice(world, {
      pages: 2,
      ops: {
        close: (area) => {
          device.mapped--;
          const { mm } = area as Vma;
          const isEmpty = mm.table.entryOf(area.start / world.page) === 0;
          order.push(`close [${area.pgoff}] ${isEmpty ? "empty" : "mapped"}: ${state()}`);
        },
      },
      file: {
        release: () => {
          order.push(`release: ${state()}`);
        },
      },
    });
    const follower: MmuNotifier = {
      name: "follower",
      release: () => {
        order.push(`notifier release: ${state()}`);
      },
    };
    world.run(function* (thread) {
      const own = yield* mapAnonymous(thread, 1);
      yield* thread.store(own, 1);
      ownPage = Math.floor(thread.mm.table.entryOf(own / world.page) / 4096);
      const descriptor = yield* openDevice(thread, device);
      const request = { length: world.page, protection: RW, sharing: "shared", descriptor } as const;
      for (const pgoff of [0, 1]) yield* thread.load(ok(yield* thread.mmap({ ...request, pgoff })));
      yield* world.kernel.mappings.registerNotifier(thread.mm, follower);
    });
    expect(order).toEqual([
      "notifier release: private page there, references 1,1",
      expect.stringMatching(/^close \[[01]\] empty: private page gone, references 0,0$/),
      expect.stringMatching(/^close \[[01]\] empty: private page gone, references 0,0$/),
      "release: private page gone, references 0,0",
    ]);
    world.finish();
  });

  test("MUST leave nothing behind whatever was mapped, also by SIGKILL in the middle, over random schedules", () => {
    for (const seed of seedsBelow(60)) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, { pages: 3 });
      const bare = new TestDevice(world, {
        path: "/dev/bare",
        ioPages: 2,
        mmap: (area, self) => self.remap(area),
      });
      const victim = world.spawn(function* (thread) {
        const at = yield* map(thread, device);
        thread.spawn(function* (own) {
          for (let page = 0; page < 3; page++) yield* own.store(at + page * world.page, 1);
        });
        yield* map(thread, bare, { pages: 2 });
        const own = yield* mapAnonymous(thread, 4);
        for (let page = 0; page < 4; page++) yield* thread.store(own + page * world.page, 1);
        ok(yield* thread.munmap(own + world.page, world.page));
        yield* thread.fork(function* (child) {
          yield* child.store(own, 2);
        });
        ok(yield* thread.mprotect(at, world.page, 1));
      }, "victim");
      const killAfter = seed % 30;
      world.spawn(function* (thread) {
        const at = yield* mapAnonymous(thread, 1);
        for (let round = 0; round < killAfter; round++) yield* thread.store(at, round);
        victim.kill("SIGKILL");
        yield* victim.waitForEnd();
      }, "killer");
      world.run();
      expect(device.mapped).toBe(0);
      expect(bare.mapped).toBe(0);
      world.finish();
    }
  });

  test("GP-03 MUST leave pages that are pinned allocated, and unpinning MUST NOT need the address space", () => {
    const world = new World();
    const { frames } = world.machine.memory;
    let pinned: readonly number[] = [];
    let mm: unknown;
    world.run(function* (thread) {
      const at = yield* mapAnonymous(thread, 2);
      mm = thread.mm;
      const pages = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 2, {
        access: "write",
        hold: "pin",
        permission: "checked",
      });
      if (typeof pages === "number") throw new Error("no pin");
      pinned = pages;
    });
    expect(
      pinned.map((page) => [frames.refcount[page], frames.pincount[page], frames.mapcount[page]]),
    ).toEqual([
      [1, 1, 0],
      [1, 1, 0],
    ]);
    world.asKernel(function* () {
      for (const page of pinned)
        yield* world.kernel.user.releasePage(mm as never, page as never, "pin", "dirty");
    });
    world.finish();
  });

  test("MUST wait for the last user of the address space, who then takes it down", () => {
    const world = new World();
    const device = new TestDevice(world, { pages: 1 });
    const process = world.spawn(function* (thread) {
      yield* thread.load(yield* map(thread, device));
      expect(world.kernel.user.tryUse(thread.mm)).toBe(true);
    });
    world.run();
    expect(process.isGone).toBe(true);
    expect(device.mapped).toBe(1);
    expect(device.extraReferences).toEqual([1]);
    world.asKernel(() => world.kernel.user.drop(process.mm));
    expect(device.mapped).toBe(0);
    expect(world.kernel.user.tryUse(process.mm)).toBe(false);
    world.finish();
  });

  test("LC-18 MUST release a file only when no other process maps it", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device);
        const child = yield* thread.fork(function* (own) {
          yield* own.nanosleep(100);
          expect(yield* own.load(at)).toBe(0x1000);
        });
        if (typeof child === "number") throw new Error("no child");
        ok(yield* thread.munmap(at, world.page));
        expect(device.calls).not.toContain("release");
        yield* child.waitForEnd();
        expect(device.calls.at(-1)).toBe("release");
      };
    });
  });
});
