import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from "../../src/contract/area-flags.ts";
import { EACCES, EAGAIN, EEXIST, EINVAL, ENODEV, ENOMEM, EOVERFLOW } from "../../src/contract/errno.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, openDevice, TestDevice, tryMap } from "../support/test-device.ts";
import { ok, RW, runProgram, trapOf } from "../support/world.ts";

describe("the arguments of mmap", () => {
  /** Maps the device with the arguments of a case; answers with the errno and whether the driver was asked. */
  function refused(request: (page: number) => object, mode: "read" | "write" | "read-write" = "read-write") {
    let result = 0;
    let asked = false;
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device, mode);
        const shape = { length: world.page, protection: RW, sharing: "shared", descriptor } as const;
        result = yield* thread.mmap({ ...shape, ...request(world.page) });
        asked = device.calls.length > 0;
        expect(thread.mm.totalPages).toBe(0);
        expect(thread.mm.areas.size).toBe(0);
      };
    });
    return { result, asked };
  }

  test("MM-01 a length of 0 MUST be refused with EINVAL before the driver is asked", () => {
    expect(refused(() => ({ length: 0 }))).toEqual({ result: -EINVAL, asked: false });
  });

  test("MM-02 a length that wraps when it is rounded up MUST be refused with ENOMEM before the driver is asked", () => {
    expect(refused(() => ({ length: 2 ** 64 - 1 }))).toEqual({ result: -ENOMEM, asked: false });
  });

  test("MM-02 a length beyond the address space MUST be refused with ENOMEM", () => {
    expect(refused((page) => ({ length: 2 ** 47 + page }))).toEqual({ result: -ENOMEM, asked: false });
  });

  test("MM-03 an offset that wraps with the length MUST be refused with EOVERFLOW before the driver is asked", () => {
    const last = 2 ** 52 - 1;
    expect(refused((page) => ({ pgoff: last, length: 2 * page }))).toEqual({
      result: -EOVERFLOW,
      asked: false,
    });
  });

  test("MM-04 a file opened without write MUST NOT be mapped shared for writing", () => {
    expect(refused(() => ({}), "read")).toEqual({ result: -EACCES, asked: false });
  });

  test.each(["shared", "private"])(
    "MM-04 a file opened without read MUST NOT be mapped %s at all",
    (sharing) => {
      expect(refused(() => ({ sharing, protection: VM_READ }), "write")).toEqual({
        result: -EACCES,
        asked: false,
      });
    },
  );

  test("MM-05 a file whose driver has no mmap hook MUST be refused with ENODEV", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1, mmap: null });
      return function* (thread) {
        expect(yield* tryMap(thread, device)).toBe(-ENODEV);
      };
    });
  });

  test("a descriptor that is not open MUST be refused with EBADF", () => {
    runProgram(
      () =>
        function* (thread) {
          expect(yield* thread.mmap({ length: 1, protection: RW, sharing: "shared", descriptor: 3 })).toBe(
            -9,
          );
        },
    );
  });

  test("a fixed address MUST be aligned and inside the user half", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const fixed = {
            length: world.page,
            protection: RW,
            sharing: "private",
            placement: "fixed",
          } as const;
          expect(yield* thread.mmap({ ...fixed, address: world.page + 1 })).toBe(-EINVAL);
          expect(yield* thread.mmap({ ...fixed, address: world.machine.geometry.userEnd })).toBe(-ENOMEM);
        },
    );
  });
});

describe("the place of a mapping", () => {
  test("is the hint when that is free, and another when it is not", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const hint = 0x10_0000;
          const first = yield* mapAnonymous(thread, 2, { address: hint + 1 });
          expect(first).toBe(hint);
          const second = yield* mapAnonymous(thread, 1, { address: hint + world.page });
          expect(second).not.toBe(hint + world.page);
        },
    );
  });

  test("never overlaps another, and goes back to room that was given back", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const first = yield* mapAnonymous(thread, 4);
          const second = yield* mapAnonymous(thread, 4);
          expect(Math.abs(first - second)).toBeGreaterThanOrEqual(4 * world.page);
          ok(yield* thread.munmap(first, 4 * world.page));
          expect(yield* mapAnonymous(thread, 4)).toBe(first);
        },
    );
  });

  test("that is fixed and taken MUST be refused with EEXIST when nothing may be replaced", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          const request = { length: world.page, protection: RW, sharing: "private" } as const;
          const taken = yield* thread.mmap({
            ...request,
            address: at + world.page,
            placement: "fixed-noreplace",
          });
          expect(taken).toBe(-EEXIST);
          const free = yield* thread.mmap({
            ...request,
            address: at + 2 * world.page,
            placement: "fixed-noreplace",
          });
          expect(free).toBe(at + 2 * world.page);
        },
    );
  });

  test("is not found MUST be answered with ENOMEM", () => {
    runProgram(
      () =>
        function* (thread) {
          expect(yield* thread.mmap({ length: 0xc000_0000 - 4096, protection: RW, sharing: "private" })).toBe(
            -ENOMEM,
          );
        },
      { geometry: "i386" },
    );
  });

  test("is one area more than max_map_count at most", () => {
    runProgram(
      (world) =>
        function* (thread) {
          for (let index = 0; index <= 5; index++) yield* mapAnonymous(thread, 1, { sharing: "shared" });
          expect(yield* thread.mmap({ length: world.page, protection: RW, sharing: "private" })).toBe(
            -ENOMEM,
          );
          expect(thread.mm.areas.size).toBe(6);
        },
      { maxAreas: 5 },
    );
  });
});

describe("a mapping that was made", () => {
  test("LC-01 MUST NOT have had open called for it", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        yield* map(thread, device);
        expect(device.takeCalls()).toEqual(["mmap [0, 2)"]);
      };
    });
  });

  test("LC-11 MUST NOT be merged with its neighbour when it has a close hook", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4 });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2, pgoff: 0 });
        yield* map(thread, device, { pages: 2, pgoff: 2, address: at + 2 * world.page, placement: "fixed" });
        expect(thread.mm.areas.size).toBe(2);
        expect(device.mapped).toBe(2);
      };
    });
  });

  test("PE-02 of a file opened for reading only MUST have neither shared nor maywrite", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread: UserThread) {
        const descriptor = yield* openDevice(thread, device, "read");
        const request = { length: world.page, protection: VM_READ, descriptor } as const;
        const shared = ok(yield* thread.mmap({ ...request, sharing: "shared" }));
        const flags = thread.mm.areas.find(shared)?.flags ?? 0;
        expect(areaFlagNames(flags).join(" ")).toBe("rd mr me ms");
        expect(flags & VM_SHARED).toBe(0);
        expect(yield* thread.mprotect(shared, world.page, RW)).toBe(-EACCES);
        const own = ok(yield* thread.mmap({ ...request, sharing: "private" }));
        expect(areaFlagNames(thread.mm.areas.find(own)?.flags ?? 0).join(" ")).toBe("rd mr mw me");
        expect(yield* thread.mprotect(own, world.page, RW)).toBe(0);
      };
    });
  });

  test("MUST be charged by the page, rounded up, and found by its addresses only", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = ok(
            yield* thread.mmap({ length: 2 * world.page + 1, protection: RW, sharing: "private" }),
          );
          expect(thread.mm.totalPages).toBe(3);
          expect(yield* thread.load(at + 3 * world.page - 4)).toBe(0);
          expect(trapOf(yield* thread.load(at + 3 * world.page))).toBe("SIGSEGV SEGV_MAPERR");
          expect(trapOf(yield* thread.load(at - 4))).toBe("SIGSEGV SEGV_MAPERR");
        },
    );
  });

  test("populated at once MUST need no fault, and its faults MUST be counted to the caller", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const before = thread.minorFaults;
          const at = yield* mapAnonymous(thread, 4, { populating: "populate" });
          expect(thread.mm.rss).toBe(4);
          expect(thread.minorFaults - before).toBe(4);
          for (let page = 0; page < 4; page++) yield* thread.store(at + page * world.page, page);
          expect(thread.minorFaults - before).toBe(4);
        },
    );
  });

  test("with execute permission only MUST be readable", () => {
    runProgram(
      () =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1, { protection: VM_EXEC });
          expect(yield* thread.load(at)).toBe(0);
          expect(trapOf(yield* thread.store(at, 1))).toBe("SIGSEGV SEGV_ACCERR");
        },
    );
  });

  test("with write permission only MUST be readable, with none it MUST be neither", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1, { protection: VM_WRITE });
          expect(yield* thread.load(at)).toBe(0);
          expect(yield* thread.store(at, 1)).toBeUndefined();
          const none = yield* mapAnonymous(thread, 1, { protection: 0 });
          expect(trapOf(yield* thread.load(none))).toBe("SIGSEGV SEGV_ACCERR");
          expect(trapOf(yield* thread.store(none, 1))).toBe("SIGSEGV SEGV_ACCERR");
          world.expectAgreement();
        },
    );
  });
});

describe("shared memory without a file", () => {
  test("MUST be shared with a child, and be zero at first", () => {
    runProgram(
      () =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1, { sharing: "shared" });
          expect(yield* thread.load(at)).toBe(0);
          const child = yield* thread.fork(function* (own) {
            yield* own.store(at, 77);
          });
          if (typeof child === "number") throw new Error("no child");
          yield* child.waitForEnd();
          expect(yield* thread.load(at)).toBe(77);
        },
    );
  });

  test("MUST start at its own first page, whatever offset is given", () => {
    runProgram(
      () =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1, { sharing: "shared", pgoff: 9 });
          expect(yield* thread.store(at, 1)).toBeUndefined();
        },
    );
  });
});

describe("MAP_LOCKED", () => {
  test("RC-07 over the limit MUST be refused with EAGAIN", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const request = { protection: RW, sharing: "private", locking: "locked" } as const;
          expect(yield* thread.mmap({ ...request, length: 5 * world.page })).toBe(-EAGAIN);
          ok(yield* thread.mmap({ ...request, length: 4 * world.page }));
          expect(thread.mm.lockedPages).toBe(4);
          expect(thread.mm.rss).toBe(4);
          expect(yield* thread.mmap({ ...request, length: world.page })).toBe(-EAGAIN);
        },
      { lockLimitPages: 4 },
    );
  });

  test("RC-07 of a special area MUST be dropped in silence and not charged", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2, locking: "locked" });
        expect(thread.mm.lockedPages).toBe(0);
        expect(areaFlagNames(thread.mm.areas.find(at)?.flags ?? 0)).not.toContain("lo");
      };
    });
  });
});
