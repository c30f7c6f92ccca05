import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { VM_PFNMAP, VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

describe("unmapMappingRange", () => {
  /** The pages of the device that have an entry in this thread's address space. */
  function shown(thread: UserThread, at: number, pages: number): readonly number[] {
    const { pageSize } = thread.machine.geometry;
    return Array.from({ length: pages }, (_, page) => page).filter(
      (page) => thread.mm.table.entryOf(at / pageSize + page) !== 0,
    );
  }

  test("RV-04 MUST reach every area of every process that shows those pages, and no other pages", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 6 });
      return function* (thread) {
        const { page } = world;
        const whole = yield* map(thread, device);
        const tail = yield* map(thread, device, { pages: 3, pgoff: 3 });
        for (let index = 0; index < 6; index++) yield* thread.load(whole + index * page);
        for (let index = 0; index < 3; index++) yield* thread.load(tail + index * page);
        const child = yield* thread.fork(function* (own) {
          for (let index = 0; index < 6; index++) yield* own.load(whole + index * page);
          yield* own.nanosleep(100);
          expect(shown(own, whole, 6)).toEqual([0, 1, 5]);
          expect(trapOf(yield* own.load(whole + 5 * page))).toBe(`no trap but ${0x1005}`);
        });
        yield* thread.nanosleep(50);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 2, 3, "even-cows");
        expect(shown(thread, whole, 6)).toEqual([0, 1, 5]);
        expect(shown(thread, tail, 3)).toEqual([2]);
        expect(device.extraReferences).toEqual([2, 2, 0, 0, 0, 3]);
        world.expectAgreement();
        if (typeof child === "number") throw new Error("no child");
        yield* child.waitForEnd();
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 1, 0, "even-cows");
        expect(shown(thread, whole, 6)).toEqual([0]);
        expect(yield* thread.load(whole + 3 * page)).toBe(0x1003);
      };
    });
  });

  test("RV-04 without even-cows MUST keep private copies, with it MUST remove them", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        yield* thread.store(at, 9);
        yield* thread.load(at + world.page);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "shared-only");
        expect(shown(thread, at, 2)).toEqual([0]);
        expect(yield* thread.load(at)).toBe(9);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        expect(shown(thread, at, 2)).toEqual([]);
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(thread.mm.rssAnon).toBe(0);
      };
    });
  });

  test("RV-05 MUST NOT stop new faults", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(device.calls.filter((call) => call.startsWith("nopage"))).toHaveLength(2);
      };
    });
  });

  test("RV-06 MUST search the address space that the driver redirected the area to, and no other", () => {
    runProgram((world) => {
      const redirected = world.machine.createAddressSpace("redirected");
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area) => {
          area.mapping = redirected;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        expect(shown(thread, at, 1)).toEqual([0]);
        yield* world.kernel.mappings.unmapMappingRange(redirected, 0, 0, "even-cows");
        expect(shown(thread, at, 1)).toEqual([]);
        world.expectAgreement();
      };
    });
  });

  test("RV-08 MUST search by the pgoff that the driver has set", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 2,
        ops: {
          nopage: (fault) => {
            const page = device.pages[fault.pgoff - 1000]!;
            world.machine.memory.frames.get(page);
            return { kind: "page", page };
          },
        },
        mmap: (area) => {
          area.pgoff += 1000;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at + world.page);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 2, "even-cows");
        expect(shown(thread, at, 2)).toEqual([1]);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 1001, 1, "even-cows");
        expect(shown(thread, at, 2)).toEqual([]);
      };
    });
  });

  test("MUST leave no CPU with a translation when it returns, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      world.run(function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        let isQuiet = false;
        thread.spawn(function* (own) {
          for (let round = 0; round < 6; round++) {
            const before = device.registers.accesses.length;
            const was = isQuiet;
            yield* own.load(at + (round % 2) * world.page);
            if (was) expect(device.registers.accesses.length).toBe(before);
          }
        });
        yield* thread.load(at);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        isQuiet = true;
        expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
      });
      world.finish();
    }
  });

  test("MUST find areas among thousands", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1, ops: { nopage: () => ({ kind: "sigbus" }) } });
      return function* (thread) {
        for (let index = 0; index < 2000; index++)
          yield* map(thread, device, { pages: 1 + (index % 3), pgoff: index });
        const { mapping } = device.inode;
        expect(mapping.areasShowing(700, 1).map(({ pgoff }) => pgoff)).toEqual(
          [698, 700].filter((pgoff) => pgoff + 1 + (pgoff % 3) > 700),
        );
        expect(mapping.areasShowing(1999, 100)).not.toEqual([]);
        expect(mapping.areasShowing(2010, 100)).toEqual([]);
      };
    });
  });
});

describe("zapVma", () => {
  test("RV-07 MUST do nothing, and say nothing, unless the area is VM_PFNMAP and contains the range", () => {
    runProgram((world) => {
      const { mappings } = world.kernel;
      const pages = new TestDevice(world, { path: "/dev/pages", pages: 2 });
      const bare = new TestDevice(world, {
        path: "/dev/bare",
        ioPages: 2,
        mmap: (area, self) => self.remap(area),
      });
      return function* (thread) {
        const counted = yield* map(thread, pages);
        yield* thread.load(counted);
        const area = thread.mm.areas.find(counted)!;
        yield* mappings.zapVma(area, area.start, area.end);
        expect(pages.extraReferences).toEqual([1, 0]);

        const at = yield* map(thread, bare, { pages: 2 });
        const special = thread.mm.areas.find(at)!;
        expect(special.flags & VM_PFNMAP).not.toBe(0);
        yield* mappings.zapVma(special, (special.start - world.page) as UserAddress, special.end);
        yield* mappings.zapVma(special, special.start, (special.end + world.page) as UserAddress);
        expect(yield* thread.load(at)).toBe(0);
        yield* mappings.zapVma(special, special.start, (special.start + world.page) as UserAddress);
        expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
        expect(yield* thread.load(at + world.page)).toBe(world.page);
      };
    });
  });
});

describe("forEachArea", () => {
  test("MUST visit every area with its address space held, also those that fork makes meanwhile, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, { pages: 2 });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* map(thread, device, { pages: 1 });
        thread.spawn(function* (own) {
          yield* own.fork(function* (child) {
            yield* child.munmap(at, world.page);
          });
          ok(yield* own.munmap(at + world.page, world.page));
        });
        const visited = new Set<number>();
        yield* world.kernel.mappings.forEachArea(device.inode.mapping, function* (area) {
          expect(area.mm.lock.isHeldByCurrent).toBe(true);
          expect(area.mm.users).toBeGreaterThan(0);
          expect(visited.has(area.id)).toBe(false);
          visited.add(area.id);
        });
        expect(visited.size).toBeGreaterThanOrEqual(2);
      });
      world.finish();
    }
  });

  test("MUST visit what an area took in after it was visited, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, {
        pages: 4,
        mmap: (area) => {
          area.ops = { name: "without close" };
          return 0;
        },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device, { pages: 4 });
        const [middle, bytes] = [at + 2 * world.page, 2 * world.page];
        ok(yield* thread.mprotect(middle, bytes, VM_READ));
        thread.spawn(function* (own) {
          // The two areas become one again.
          ok(yield* own.mprotect(middle, bytes, VM_READ | VM_WRITE));
        });
        const visited = new Set<number>();
        yield* world.kernel.mappings.forEachArea(device.inode.mapping, function* (area) {
          for (let page = 0; page < area.pages; page++) visited.add(area.pgoff + page);
        });
        expect([...visited].sort()).toEqual([0, 1, 2, 3]);
      });
      world.finish();
    }
  });
});
