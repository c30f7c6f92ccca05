import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { EBUSY, EINVAL, ENOMEM, ENXIO } from "../../src/contract/errno.ts";
import type { Vma } from "../../src/mm/vma.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

const FAR = 0x2000_0000;

describe("a mapping that moves", () => {
  /** Moves a mapping of the device to a place of its own choice. */
  function* moveTo(thread: UserThread, from: number, pages: number, newPages = pages) {
    const { pageSize } = thread.machine.geometry;
    return yield* thread.mremap({
      address: from,
      oldLength: pages * pageSize,
      newLength: newPages * pageSize,
      moving: "may-move",
      newAddress: FAR,
    });
  }

  test("LC-12 MUST be opened, then have its entries moved and flushed, then be told, then lose and close the old one", () => {
    runProgram((world) => {
      const order: string[] = [];
      const device: TestDevice = new TestDevice(world, {
        pages: 2,
        ops: {
          open: (area) => {
            device.mapped++;
            order.push(`open at ${where(area as Vma)}, entries ${entries(area as Vma)}`);
          },
          mremap: (area) => {
            order.push(`mremap at ${where(area as Vma)}, entries ${entries(area as Vma)}`);
            return 0;
          },
          close: (area) => {
            device.mapped--;
            order.push(`close at ${where(area as Vma)}`);
          },
        },
      });
      let old = 0;
      const where = (area: Vma) => (area.start === old ? "the old place" : "the new place");
      const entries = ({ mm }: Vma) =>
        [old, FAR]
          .map((at) => [0, 1].filter((page) => mm.table.entryOf(at / world.page + page) !== 0).length)
          .join("/");
      return function* (thread) {
        old = yield* map(thread, device);
        yield* thread.load(old);
        yield* thread.store(old + world.page, 7);
        const faults = thread.minorFaults;
        expect(yield* moveTo(thread, old, 2)).toBe(FAR);
        expect(order).toEqual([
          "open at the new place, entries 2/0",
          "mremap at the new place, entries 0/2",
          "close at the old place",
        ]);
        expect(device.mapped).toBe(1);
        expect(yield* thread.load(FAR + world.page)).toBe(7);
        expect(yield* thread.load(FAR)).toBe(0x1000);
        expect(thread.minorFaults).toBe(faults);
        expect(trapOf(yield* thread.load(old))).toBe("SIGSEGV SEGV_MAPERR");
        expect(thread.mm.totalPages).toBe(2);
        world.expectAgreement();
      };
    });
  });

  test("FR-16 MUST show the same object pages, also those that were not touched before", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4 });
      return function* (thread) {
        const at = yield* map(thread, device);
        ok(yield* thread.munmap(at, world.page));
        expect(yield* moveTo(thread, at + world.page, 3)).toBe(FAR);
        for (let page = 0; page < 3; page++)
          expect(yield* thread.load(FAR + page * world.page)).toBe(0x1001 + page);
      };
    });
  });

  test("LC-13 when the mremap hook fails the entries MUST go back and the new area be closed", () => {
    for (const throws of [false, true]) {
      const world = new World();
      const device: TestDevice = new TestDevice(world, {
        pages: 2,
        ops: {
          mremap: () => {
            if (throws) throw new Error("no");
            return -ENXIO;
          },
        },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.store(at, 3);
        device.takeCalls();
        expect(yield* moveTo(thread, at, 2)).toBe(throws ? -EINVAL : -ENXIO);
        expect(device.takeCalls()).toEqual(["open [0, 2)", "close [0, 2)"]);
        expect(device.mapped).toBe(1);
        const faults = thread.minorFaults;
        expect(yield* thread.load(at)).toBe(3);
        expect(thread.minorFaults).toBe(faults);
        expect(trapOf(yield* thread.load(FAR))).toBe("SIGSEGV SEGV_MAPERR");
        expect(thread.mm.totalPages).toBe(2);
        world.expectAgreement();
      });
      world.finish(...(throws ? (["contract"] as const) : []));
    }
  });

  test("LC-13 without memory for its tables MUST go back where it was", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: (site) => isGiven || site !== "page-table" } });
    world.run(function* (thread) {
      const at = yield* mapAnonymous(thread, 2);
      yield* thread.store(at, 5);
      isGiven = false;
      expect(yield* moveTo(thread, at, 2)).toBe(-ENOMEM);
      expect(yield* thread.load(at)).toBe(5);
      expect(thread.mm.totalPages).toBe(2);
      world.expectAgreement();
    });
    world.finish();
  });

  test("without memory for an area MUST fail with ENOMEM before anything is done", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: (site) => isGiven || site !== "vm_area_alloc" } });
    const device = new TestDevice(world, { pages: 2 });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      device.takeCalls();
      isGiven = false;
      expect(yield* moveTo(thread, at, 2)).toBe(-ENOMEM);
      expect(device.takeCalls()).toEqual([]);
    });
    world.finish();
  });

  test("LC-09 in part MUST be vetoed by maySplit, and stay where it is", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4, ops: { maySplit: () => -EBUSY } });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* moveTo(thread, at + world.page, 2)).toBe(-EBUSY);
        expect(device.mapped).toBe(1);
        expect(yield* thread.load(at + world.page)).toBe(0x1001);
        expect(yield* moveTo(thread, at, 4)).toBe(FAR);
      };
    });
  });

  test("in part MUST leave the rest where it is", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4 });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* moveTo(thread, at + world.page, 2)).toBe(FAR);
        expect(device.mapped).toBe(3);
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(yield* thread.load(at + 3 * world.page)).toBe(0x1003);
        expect(yield* thread.load(FAR)).toBe(0x1001);
        expect(trapOf(yield* thread.load(at + 2 * world.page))).toBe("SIGSEGV SEGV_MAPERR");
        world.expectAgreement();
      };
    });
  });

  test("onto another MUST replace that, which is closed first", () => {
    runProgram((world) => {
      const other = new TestDevice(world, { path: "/dev/other", pages: 2 });
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        yield* map(thread, other, { address: FAR });
        const at = yield* map(thread, device);
        expect(yield* moveTo(thread, at, 2)).toBe(FAR);
        expect(other.mapped).toBe(0);
        expect(yield* thread.load(FAR)).toBe(0x1000);
      };
    });
  });

  test("RV-03 MUST NOT be reachable by its old address once the page-table lock is free, over random schedules", () => {
    for (const seed of seedsBelow(150)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      const device = new TestDevice(world, { pages: 1 });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.store(at + 4, 1);
        let isMoved = false;
        thread.spawn(function* (own) {
          for (let round = 0; round < 4; round++) {
            const was = isMoved;
            const seen = yield* own.load(at);
            if (was) expect(trapOf(seen)).toBe("SIGSEGV SEGV_MAPERR");
          }
        });
        world.machine.sched.spawn(
          { name: "truncater", kind: "kernel", cpu: 2 },
          world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows"),
        );
        ok(yield* moveTo(thread, at, 1));
        isMoved = true;
      });
      world.finish();
    }
  });

  test("RV-04 MUST be met by a walk of the reverse map in one place or the other, over random schedules", () => {
    for (const seed of seedsBelow(150)) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, {
        ioPages: 1,
        mmap: (area, self) => self.remap(area),
        ops: { nopage: () => ({ kind: "sigbus" }) },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device, { pages: 1 });
        let isRevoked = false;
        world.machine.sched.spawn(
          { name: "revoker", kind: "kernel", cpu: 1 },
          (function* () {
            yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
            isRevoked = true;
          })(),
        );
        ok(yield* moveTo(thread, at, 1));
        while (!isRevoked) yield* thread.nanosleep(10);
        expect(trapOf(yield* thread.load(FAR))).toBe("SIGBUS BUS_ADRERR");
      });
      world.finish();
    }
  });
});
