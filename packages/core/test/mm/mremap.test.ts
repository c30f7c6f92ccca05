import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_DONTEXPAND, VM_PFNMAP } from "../../src/contract/area-flags.ts";
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf } from "../support/world.ts";

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
          yield* mapAnonymous(thread, 2, { address: 0x100_0000 + 2 * page, sharing: "shared" });
          const move = { address: at, oldLength: 3 * page, newLength: 4 * page, moving: "may-move" } as const;
          expect(yield* thread.mremap(move)).toBe(-EFAULT);
          expect(yield* thread.mremap({ ...move, address: FAR })).toBe(-EFAULT);
        },
    );
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
          for (let index = 0; index < 4; index++) yield* mapAnonymous(thread, 1, { sharing: "shared" });
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
