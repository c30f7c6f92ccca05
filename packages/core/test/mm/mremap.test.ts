import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_DONTEXPAND, VM_PFNMAP } from "../../src/contract/area-flags.ts";
import { EAGAIN, EBUSY, EFAULT, EINVAL, ENOMEM, ENXIO } from "../../src/contract/errno.ts";
import type { Vma } from "../../src/mm/vma.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice, type TestDeviceShape } from "../support/test-device.ts";
import { ok, RW, runProgram, trapOf, World } from "../support/world.ts";

const FAR = 0x2000_0000;

describe("the arguments of mremap", () => {
  test("MUST be sensible: EINVAL", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 4, { address: 0x100_0000 });
          const move = { address: at, oldLength: page, newLength: page } as const;
          expect(yield* thread.mremap({ ...move, address: at + 1 })).toBe(-EINVAL);
          expect(yield* thread.mremap({ ...move, newLength: 0 })).toBe(-EINVAL);
          expect(yield* thread.mremap({ ...move, newAddress: FAR })).toBe(-EINVAL);
          const moving = { ...move, moving: "may-move" } as const;
          expect(yield* thread.mremap({ ...moving, newAddress: FAR + 1 })).toBe(-EINVAL);
          expect(yield* thread.mremap({ ...moving, newAddress: world.machine.geometry.userEnd })).toBe(
            -EINVAL,
          );
          expect(yield* thread.mremap({ ...moving, oldLength: 2 * page, newAddress: at + page })).toBe(
            -EINVAL,
          );
          expect(yield* thread.mremap({ ...moving, oldRange: "keep", newLength: 2 * page })).toBe(-EINVAL);
          expect(yield* thread.mremap({ ...moving, oldRange: "keep", newLength: page - 1 })).toBe(-EINVAL);
          expect(yield* thread.mremap({ ...move, oldRange: "keep" })).toBe(-EINVAL);
        },
    );
  });

  test("MUST name one area: EFAULT", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 2, { address: 0x100_0000 });
          yield* mapAnonymous(thread, 2, { address: 0x100_0000 + 2 * page });
          const move = { address: at, oldLength: 3 * page, newLength: 4 * page, moving: "may-move" } as const;
          expect(yield* thread.mremap(move)).toBe(-EFAULT);
          expect(yield* thread.mremap({ ...move, address: FAR })).toBe(-EFAULT);
        },
    );
  });
});

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
    for (let seed = 0; seed < 150; seed++) {
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
    for (let seed = 0; seed < 150; seed++) {
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

describe("growing", () => {
  test("LC-15 in place MUST ask no hook; pages past the end are the fault handler's affair", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const at = yield* map(thread, device, { address: FAR });
        device.takeCalls();
        const grown = yield* thread.mremap({
          address: at,
          oldLength: 2 * world.page,
          newLength: 4 * world.page,
        });
        expect(grown).toBe(at);
        expect(device.takeCalls()).toEqual([]);
        expect(device.mapped).toBe(1);
        expect(thread.mm.totalPages).toBe(4);
        expect(trapOf(yield* thread.load(at + 3 * world.page))).toBe("SIGBUS BUS_ADRERR");
        expect(device.takeCalls()).toEqual(["nopage 3 read"]);
        device.addPage();
        expect(yield* thread.load(at + 2 * world.page)).toBe(0x1002);
        world.expectAgreement();
      };
    });
  });

  test("where the next area stands MUST be refused with ENOMEM, or move if it may", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 2, { address: FAR });
          yield* mapAnonymous(thread, 1, { address: FAR + 3 * page });
          yield* thread.store(at + page, 9);
          expect(yield* thread.mremap({ address: at, oldLength: 2 * page, newLength: 3 * page })).toBe(at);
          expect(yield* thread.mremap({ address: at, oldLength: 3 * page, newLength: 4 * page })).toBe(
            -ENOMEM,
          );
          const moved = ok(
            yield* thread.mremap({
              address: at,
              oldLength: 3 * page,
              newLength: 4 * page,
              moving: "may-move",
            }),
          );
          expect(moved).not.toBe(at);
          expect(yield* thread.load(moved + page)).toBe(9);
          expect(yield* thread.load(moved + 3 * page)).toBe(0);
          expect(trapOf(yield* thread.load(at))).toBe("SIGSEGV SEGV_MAPERR");
          expect(thread.mm.totalPages).toBe(5);
        },
    );
  });

  test("from inside an area MUST move that part", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 3);
          yield* thread.store(at + page, 4);
          expect(yield* thread.mremap({ address: at + page, oldLength: page, newLength: 2 * page })).toBe(
            -ENOMEM,
          );
          const moved = ok(
            yield* thread.mremap({
              address: at + page,
              oldLength: page,
              newLength: 2 * page,
              moving: "may-move",
            }),
          );
          expect(yield* thread.load(moved)).toBe(4);
          expect(yield* thread.load(at)).toBe(0);
          expect(trapOf(yield* thread.load(at + page))).toBe("SIGSEGV SEGV_MAPERR");
          expect(thread.mm.areas.size).toBe(3);
        },
    );
  });

  test.each([VM_DONTEXPAND, VM_PFNMAP])(
    "LC-14 an area with flag %i MUST be refused with EFAULT; shrinking and moving MUST work",
    (flag) => {
      runProgram((world) => {
        const device = new TestDevice(world, {
          pages: 3,
          mmap: (area) => {
            area.flags |= flag;
            return 0;
          },
        });
        return function* (thread) {
          const { page } = world;
          const at = yield* map(thread, device);
          expect(yield* thread.mremap({ address: at, oldLength: 3 * page, newLength: 4 * page })).toBe(
            -EFAULT,
          );
          const moving = { address: at, oldLength: 3 * page, moving: "may-move" } as const;
          expect(yield* thread.mremap({ ...moving, newLength: 4 * page })).toBe(-EFAULT);
          expect(yield* thread.mremap({ ...moving, newLength: 2 * page })).toBe(at);
          const same = { address: at, oldLength: 2 * page, newLength: 2 * page, moving: "may-move" } as const;
          expect(yield* thread.mremap({ ...same, newAddress: FAR })).toBe(FAR);
          expect(yield* thread.mremap({ ...same, address: FAR, oldRange: "keep" })).toBe(-EINVAL);
          expect(yield* thread.mremap({ ...same, address: FAR, oldLength: 0 })).toBe(-EFAULT);
        };
      });
    },
  );

  test("RC-07 of locked memory over the limit MUST be refused with EAGAIN", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 3, { locking: "locked", address: FAR });
          expect(yield* thread.mremap({ address: at, oldLength: 3 * page, newLength: 5 * page })).toBe(
            -EAGAIN,
          );
          expect(yield* thread.mremap({ address: at, oldLength: 3 * page, newLength: 4 * page })).toBe(at);
          expect(thread.mm.lockedPages).toBe(4);
          expect(thread.mm.rss).toBe(4);
        },
      { lockLimitPages: 4 },
    );
  });
});

describe("shrinking", () => {
  test("MUST unmap the end and stay in place", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4 });
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device);
        yield* thread.load(at + 3 * page);
        expect(yield* thread.mremap({ address: at, oldLength: 4 * page, newLength: 2 * page })).toBe(at);
        expect(device.extraReferences).toEqual([0, 0, 0, 0]);
        expect(device.mapped).toBe(1);
        expect(trapOf(yield* thread.load(at + 2 * page))).toBe("SIGSEGV SEGV_MAPERR");
        expect(yield* thread.mremap({ address: at, oldLength: 2 * page, newLength: 2 * page })).toBe(at);
      };
    });
  });

  test("with a move MUST take only what is left", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 4);
          yield* thread.store(at + page, 3);
          const move = {
            address: at,
            oldLength: 4 * page,
            newLength: 2 * page,
            moving: "may-move",
            newAddress: FAR,
          } as const;
          expect(yield* thread.mremap(move)).toBe(FAR);
          expect(yield* thread.load(FAR + page)).toBe(3);
          expect(thread.mm.totalPages).toBe(2);
          expect(trapOf(yield* thread.load(FAR + 2 * page))).toBe("SIGSEGV SEGV_MAPERR");
        },
    );
  });
});

describe("an old length of 0", () => {
  test("LC-16 MUST duplicate a shared mapping, with one open", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device);
        yield* thread.store(at, 5);
        device.takeCalls();
        const twin = ok(
          yield* thread.mremap({ address: at, oldLength: 0, newLength: 2 * page, moving: "may-move" }),
        );
        expect(twin).not.toBe(at);
        expect(device.takeCalls()).toEqual(["open [0, 2)"]);
        expect(device.mapped).toBe(2);
        expect(yield* thread.load(twin)).toBe(5);
        expect(yield* thread.load(at)).toBe(5);
        world.expectAgreement();
      };
    });
  });

  test("LC-16 MUST be refused with EINVAL for a private mapping", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        for (const at of [
          yield* map(thread, device, { sharing: "private" }),
          yield* mapAnonymous(thread, 1),
        ]) {
          const request = { address: at, oldLength: 0, newLength: world.page, moving: "may-move" } as const;
          expect(yield* thread.mremap(request)).toBe(-EINVAL);
        }
      };
    });
  });
});

describe("MREMAP_DONTUNMAP", () => {
  test("MUST leave the old range mapped and empty", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 2);
          yield* thread.store(at, 5);
          const move = {
            address: at,
            oldLength: 2 * page,
            newLength: 2 * page,
            moving: "may-move",
            oldRange: "keep",
          } as const;
          const moved = ok(yield* thread.mremap(move));
          expect(yield* thread.load(moved)).toBe(5);
          expect(yield* thread.load(at)).toBe(0);
          expect(thread.mm.totalPages).toBe(4);
          world.expectAgreement();
        },
    );
  });

  test("RC-07 MUST take the lock along with the pages", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const at = yield* mapAnonymous(thread, 2, { locking: "locked" });
          const move = {
            address: at,
            oldLength: 2 * page,
            newLength: 2 * page,
            moving: "may-move",
            oldRange: "keep",
          } as const;
          const moved = ok(yield* thread.mremap(move));
          expect(thread.mm.lockedPages).toBe(2);
          expect(areaFlagNames(thread.mm.areas.find(at)?.flags ?? 0)).not.toContain("lo");
          expect(areaFlagNames(thread.mm.areas.find(moved)?.flags ?? 0)).toContain("lo");
          world.expectAgreement();
        },
    );
  });
});

describe("at the limit of areas", () => {
  test("a move MUST be refused with ENOMEM before what it would replace is unmapped", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { page } = world;
          const target = yield* mapAnonymous(thread, 1, { address: FAR });
          const at = yield* mapAnonymous(thread, 2);
          for (let index = 0; index < 4; index++) yield* mapAnonymous(thread, 1);
          const move = { address: at, oldLength: page, newLength: page, moving: "may-move" } as const;
          expect(yield* thread.mremap({ ...move, newAddress: target })).toBe(-ENOMEM);
          expect(yield* thread.load(target)).toBe(0);
          expect(yield* thread.mremap({ ...move, newLength: 3 * page })).toBe(-ENOMEM);
          expect(thread.mm.areas.size).toBe(6);
        },
      { maxAreas: 8 },
    );
  });
});

describe("large leaves", () => {
  const shape: TestDeviceShape = { ioPages: 1024, mmap: (area, self) => self.remap(area, "large") };

  test("MUST move whole where both places are aligned", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        const tables = world.machine.tables.tablesInUse;
        ok(
          yield* thread.mremap({
            address: at,
            oldLength: 1024 * page,
            newLength: 1024 * page,
            moving: "may-move",
            newAddress: FAR,
          }),
        );
        expect(world.machine.tables.tablesInUse).toBeLessThanOrEqual(tables);
        expect(yield* thread.load(FAR + 700 * page)).toBe(700 * page);
        world.expectAgreement();
      };
    });
  });

  test("MUST be split and moved page by page where they are not", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        const target = FAR + 3 * page;
        ok(
          yield* thread.mremap({
            address: at,
            oldLength: 1024 * page,
            newLength: 1024 * page,
            moving: "may-move",
            newAddress: target,
          }),
        );
        for (const index of [0, 511, 512, 1023])
          expect(yield* thread.load(target + index * page)).toBe(index * page);
        expect(RW).toBe(3);
        world.expectAgreement();
      };
    });
  });

  test("MUST be split where only part of one moves", () => {
    runProgram((world) => {
      const device = new TestDevice(world, shape);
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device, { pages: 1024 });
        ok(
          yield* thread.mremap({
            address: at + 100 * page,
            oldLength: 600 * page,
            newLength: 600 * page,
            moving: "may-move",
            newAddress: FAR,
          }),
        );
        expect(yield* thread.load(at + 99 * page)).toBe(99 * page);
        expect(trapOf(yield* thread.load(at + 100 * page))).toBe("SIGSEGV SEGV_MAPERR");
        expect(yield* thread.load(FAR)).toBe(100 * page);
        expect(yield* thread.load(FAR + 599 * page)).toBe(699 * page);
        expect(yield* thread.load(at + 700 * page)).toBe(700 * page);
        world.expectAgreement();
      };
    });
  });
});
