import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_IO, VM_MIXEDMAP, VM_READ } from "../../src/contract/area-flags.ts";
import { EAGAIN, EBUSY, EFAULT, EHWPOISON, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import { hwpoison, oom } from "../../src/contract/outcome.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf } from "../support/world.ts";

describe("the arguments of madvise", () => {
  test("an address that is not aligned or a negative length MUST be refused with EINVAL", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          expect(yield* thread.madvise(at + 1, world.page, "dontneed")).toBe(-EINVAL);
          expect(yield* thread.madvise(at, -1, "dontneed")).toBe(-EINVAL);
          expect(yield* thread.madvise(at, 0, "dontneed")).toBe(0);
        },
    );
  });

  test("a hole MUST be answered with ENOMEM after the rest was done", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3, { address: 0x100_0000 });
          for (let page = 0; page < 3; page++) yield* thread.store(at + page * world.page, 1);
          ok(yield* thread.munmap(at + world.page, world.page));
          expect(yield* thread.madvise(at, 3 * world.page, "dontneed")).toBe(-ENOMEM);
          expect(thread.mm.rss).toBe(0);
          expect(yield* thread.madvise(world.machine.geometry.userEnd, world.page, "dontneed")).toBe(-ENOMEM);
          expect(yield* thread.madvise(0x200_0000, world.page, "populate-read")).toBe(-ENOMEM);
        },
    );
  });
});

describe("MADV_DONTNEED", () => {
  test("on private memory MUST leave zeros", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          yield* thread.store(at, 1);
          yield* thread.store(at + world.page, 2);
          ok(yield* thread.madvise(at, world.page, "dontneed"));
          expect(yield* thread.load(at)).toBe(0);
          expect(yield* thread.load(at + world.page)).toBe(2);
          expect(thread.mm.rssAnon).toBe(1);
        },
    );
  });

  test("on a private mapping of an object MUST show the object again", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        yield* thread.store(at, 1);
        ok(yield* thread.madvise(at, world.page, "dontneed"));
        expect(yield* thread.load(at)).toBe(0x1000);
      };
    });
  });

  test("RE-10 on an eager mapping without a fault handler MUST make every touch SIGBUS from then on", () => {
    runProgram((world) => {
      const device: TestDevice = new TestDevice(world, {
        pages: 2,
        mmap: (area, self) => {
          area.ops = { name: "eager" };
          return self.insertAll(area);
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.load(at + world.page)).toBe(0x1001);
        ok(yield* thread.madvise(at, 2 * world.page, "dontneed"));
        expect(device.extraReferences).toEqual([0, 0]);
        expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
        expect(trapOf(yield* thread.store(at + world.page, 1))).toBe("SIGBUS BUS_ADRERR");
      };
    });
  });

  test("on locked memory MUST be refused with EINVAL", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1, { locking: "locked" });
          expect(yield* thread.madvise(at, world.page, "dontneed")).toBe(-EINVAL);
        },
    );
  });
});

describe("advice on a bare pfn area", () => {
  test("PF-09 DONTNEED, POPULATE, DOFORK and DODUMP MUST be refused with EINVAL; DONTFORK and DONTDUMP MUST NOT", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        for (const advice of ["dontneed", "populate-read", "populate-write", "dofork", "dodump"] as const) {
          expect(yield* thread.madvise(at, world.page, advice), advice).toBe(-EINVAL);
        }
        expect(yield* thread.madvise(at, 2 * world.page, "dontdump")).toBe(0);
        expect(yield* thread.madvise(at, 2 * world.page, "dontfork")).toBe(0);
        expect(areaFlagNames(thread.mm.areas.find(at)?.flags ?? 0)).toContain("dc");
        expect(yield* thread.load(at + world.page)).toBe(world.page);
      };
    });
  });

  test("PF-09 DOFORK MUST be refused for VM_IO only", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area) => {
          area.flags |= world.messages.length === 0 ? VM_MIXEDMAP : VM_IO;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.madvise(at, world.page, "dontfork")).toBe(0);
        expect(yield* thread.madvise(at, world.page, "dofork")).toBe(0);
        expect(yield* thread.madvise(at, world.page, "dodump")).toBe(-EINVAL);
      };
    });
  });
});

describe("MADV_DONTFORK and MADV_DONTDUMP", () => {
  test("on part of an area MUST split it, and be taken back", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 3 });
      return function* (thread) {
        const at = yield* map(thread, device);
        ok(yield* thread.madvise(at + world.page, world.page, "dontfork"));
        expect(thread.mm.areas.all().map(({ flags }) => areaFlagNames(flags).includes("dc"))).toEqual([
          false,
          true,
          false,
        ]);
        expect(device.mapped).toBe(3);
        ok(yield* thread.madvise(at, 3 * world.page, "dofork"));
        ok(yield* thread.madvise(at, 3 * world.page, "dontdump"));
        ok(yield* thread.madvise(at, 3 * world.page, "dodump"));
        expect(thread.mm.areas.all().every(({ flags }) => !/d[cd]/.test(areaFlagNames(flags).join()))).toBe(
          true,
        );
        world.expectAgreement();
      };
    });
  });

  test("LC-09 vetoed by the driver MUST fail with its errno", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 3, ops: { maySplit: () => -EBUSY } });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.madvise(at, world.page, "dontfork")).toBe(-EBUSY);
        expect(yield* thread.madvise(at, 3 * world.page, "dontfork")).toBe(0);
      };
    });
  });

  test("at the limit of areas MUST fail with EAGAIN", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3);
          expect(yield* thread.madvise(at, world.page, "dontfork")).toBe(-EAGAIN);
        },
      { maxAreas: 1 },
    );
  });
});

describe("MADV_POPULATE", () => {
  test("for reading MUST fault pages in without writing, for writing MUST break copy on write", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const at = yield* mapAnonymous(thread, 2);
        ok(yield* thread.madvise(at, 2 * world.page, "populate-read"));
        expect(thread.mm.rss).toBe(0);
        ok(yield* thread.madvise(at, 2 * world.page, "populate-write"));
        expect(thread.mm.rssAnon).toBe(2);
        const shown = yield* map(thread, device, { sharing: "private" });
        ok(yield* thread.madvise(shown, world.page, "populate-read"));
        expect(thread.mm.rssFile).toBe(1);
        ok(yield* thread.madvise(shown, world.page, "populate-write"));
        expect([thread.mm.rssFile, thread.mm.rssAnon]).toEqual([0, 3]);
        const faults = thread.minorFaults;
        ok(yield* thread.madvise(at, 2 * world.page, "populate-write"));
        expect(thread.minorFaults).toBe(faults);
      };
    });
  });

  test("MUST say what went wrong", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      const broken = new TestDevice(world, {
        path: "/dev/broken",
        pages: 1,
        ops: { nopage: () => hwpoison },
      });
      const lacking = new TestDevice(world, { path: "/dev/lacking", pages: 1, ops: { nopage: () => oom } });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2, protection: VM_READ });
        expect(yield* thread.madvise(at, world.page, "populate-write")).toBe(-EINVAL);
        expect(yield* thread.madvise(at, 2 * world.page, "populate-read")).toBe(-EFAULT);
        expect(thread.mm.rssFile).toBe(1);
        expect(yield* thread.madvise(yield* map(thread, broken), world.page, "populate-read")).toBe(
          -EHWPOISON,
        );
        expect(yield* thread.madvise(yield* map(thread, lacking), world.page, "populate-read")).toBe(-ENOMEM);
      };
    });
  });
});
