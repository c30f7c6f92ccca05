import { describe, expect, test } from "vitest";
import type { Area } from "../../src/contract/area.ts";
import { VM_READ } from "../../src/contract/area-flags.ts";
import { EBUSY, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import type { Vma } from "../../src/mm/vma.ts";
import { map, mapAnonymous, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

describe("the arguments of munmap", () => {
  test("MUST be aligned, not empty, and inside the user half: EINVAL", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { userEnd } = world.machine.geometry;
          const at = yield* mapAnonymous(thread, 1);
          expect(yield* thread.munmap(at + 1, world.page)).toBe(-EINVAL);
          expect(yield* thread.munmap(at, 0)).toBe(-EINVAL);
          expect(yield* thread.munmap(userEnd - world.page, 2 * world.page)).toBe(-EINVAL);
          expect(yield* thread.munmap(at, 2 ** 60)).toBe(-EINVAL);
          expect(yield* thread.munmap(-world.page, world.page)).toBe(-EINVAL);
          expect(yield* thread.load(at)).toBe(0);
        },
    );
  });

  test("may name a range where nothing is mapped, or holes", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 5, { address: 0x100_0000 });
          expect(yield* thread.munmap(at + world.page, world.page)).toBe(0);
          expect(yield* thread.munmap(at + world.page, world.page)).toBe(0);
          expect(yield* thread.munmap(at - 2 * world.page, 20 * world.page)).toBe(0);
          expect(thread.mm.areas.size).toBe(0);
          expect(thread.mm.totalPages).toBe(0);
        },
    );
  });

  test("are rounded up to whole pages", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3);
          ok(yield* thread.munmap(at, world.page + 1));
          expect(trapOf(yield* thread.load(at + world.page))).toBe("SIGSEGV SEGV_MAPERR");
          expect(yield* thread.load(at + 2 * world.page)).toBe(0);
          expect(thread.mm.totalPages).toBe(1);
        },
    );
  });
});

describe("unmapping a driver's area", () => {
  test("RC-01 RC-02 MUST leave references and rss as they were", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4 });
      return function* (thread) {
        const at = yield* map(thread, device);
        for (let page = 0; page < 4; page++) yield* thread.load(at + page * world.page);
        expect(device.extraReferences).toEqual([1, 1, 1, 1]);
        expect(thread.mm.rss).toBe(4);
        ok(yield* thread.munmap(at + world.page, 2 * world.page));
        expect(device.extraReferences).toEqual([1, 0, 0, 1]);
        expect(thread.mm.rss).toBe(2);
        ok(yield* thread.munmap(at, 4 * world.page));
        expect(device.extraReferences).toEqual([0, 0, 0, 0]);
        expect(thread.mm.rss).toBe(0);
      };
    });
  });

  test("LC-06 close MUST run when no entry is left and before the file is released", () => {
    runProgram((world) => {
      const seen: string[] = [];
      const device: TestDevice = new TestDevice(world, {
        pages: 3,
        ops: {
          close: (area) => {
            device.mapped--;
            const { mm } = area as Vma;
            const entries = [0, 1, 2].filter(
              (page) => mm.table.entryOf(area.start / world.page + page) !== 0,
            );
            seen.push(`close with ${entries.length} entries, ${device.extraReferences.join()} references`);
            seen.push(`open files: ${world.machine.devices.openFiles.size}`);
          },
        },
        file: {
          release: () => {
            seen.push("release");
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        for (let page = 0; page < 3; page++) yield* thread.load(at + page * world.page);
        ok(yield* thread.munmap(at, 3 * world.page));
        expect(seen).toEqual(["close with 0 entries, 0,0,0 references", "open files: 1", "release"]);
      };
    });
  });

  test.each([
    ["the front", 0, 1, "open [0, 1)", "close [0, 1)", [1, 4]],
    ["the end", 3, 1, "open [3, 4)", "close [3, 4)", [0, 3]],
  ] as const)(
    "LC-07 trimming %s MUST be one open and one close of the fragment; the rest keeps its object",
    (_name, from, pages, open, close, rest) => {
      runProgram((world) => {
        const device = new TestDevice(world, { pages: 4 });
        return function* (thread) {
          const at = yield* map(thread, device);
          const before = thread.mm.areas.find(at);
          device.takeCalls();
          ok(yield* thread.munmap(at + from * world.page, pages * world.page));
          expect(device.takeCalls()).toEqual([open, close]);
          expect(thread.mm.areas.all()).toEqual([before]);
          expect([before?.pgoff, (before?.pgoff ?? 0) + (before?.pages ?? 0)]).toEqual(rest);
          expect(device.mapped).toBe(1);
          world.expectAgreement();
        };
      });
    },
  );

  test("LC-08 punching a hole MUST be two opens and one close, and leave two areas", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 5 });
      return function* (thread) {
        const at = yield* map(thread, device);
        device.takeCalls();
        ok(yield* thread.munmap(at + 2 * world.page, world.page));
        expect(device.takeCalls()).toEqual(["open [2, 5)", "open [2, 3)", "close [2, 3)"]);
        expect(thread.mm.areas.all().map(({ pgoff, pages }) => [pgoff, pages])).toEqual([
          [0, 2],
          [3, 2],
        ]);
        expect(device.mapped).toBe(2);
        world.expectAgreement();
      };
    });
  });

  test("LC-10 FR-16 after the first page is gone, each page MUST still show its own object page", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 4 });
      return function* (thread) {
        const at = yield* map(thread, device);
        ok(yield* thread.munmap(at, world.page));
        ok(yield* thread.munmap(at + 2 * world.page, world.page));
        expect(yield* thread.load(at + world.page)).toBe(0x1001);
        expect(yield* thread.load(at + 3 * world.page)).toBe(0x1003);
        expect(trapOf(yield* thread.load(at + 2 * world.page))).toBe("SIGSEGV SEGV_MAPERR");
      };
    });
  });

  test("LC-09 a veto of the split MUST make a partial munmap fail and leave all of it usable", () => {
    runProgram((world) => {
      const asked: string[] = [];
      const device: TestDevice = new TestDevice(world, {
        pages: 4,
        ops: {
          maySplit: (area: Area, address) => {
            asked.push(`${(address - area.start) / world.page}`);
            return -EBUSY;
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at + world.page);
        expect(yield* thread.munmap(at, world.page)).toBe(-EBUSY);
        expect(yield* thread.munmap(at + world.page, world.page)).toBe(-EBUSY);
        expect(yield* thread.munmap(at + 3 * world.page, world.page)).toBe(-EBUSY);
        expect(asked).toEqual(["1", "1", "3"]);
        for (let page = 0; page < 4; page++)
          expect(yield* thread.load(at + page * world.page)).toBe(0x1000 + page);
        expect(thread.mm.areas.size).toBe(1);
        expect(device.mapped).toBe(1);
        expect(yield* thread.munmap(at, 4 * world.page)).toBe(0);
      };
    });
  });

  test("LC-09 a veto by throwing or by nonsense is reported and stands as EINVAL", () => {
    for (const maySplit of [
      () => 5,
      (): number => {
        throw new Error("no");
      },
    ]) {
      const world = new World();
      const device = new TestDevice(world, { pages: 2, ops: { maySplit } });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.munmap(at, world.page)).toBe(-EINVAL);
      });
      world.finish("contract");
    }
  });

  test("LC-18 the mapping MUST outlive close(fd): release comes after the last area", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        const request = {
          length: 2 * world.page,
          protection: VM_READ,
          sharing: "shared",
          descriptor,
        } as const;
        const at = ok(yield* thread.mmap(request));
        ok(yield* thread.close(descriptor));
        expect(device.calls).not.toContain("release");
        expect(yield* thread.load(at + world.page)).toBe(0x1001);
        ok(yield* thread.munmap(at, world.page));
        expect(device.calls).not.toContain("release");
        ok(yield* thread.munmap(at + world.page, world.page));
        expect(device.calls.slice(-2)).toEqual(["close [1, 2)", "release"]);
      };
    });
  });

  test("hooks that throw are reported by name, and unmapping goes on", () => {
    const world = new World();
    const device = new TestDevice(world, {
      pages: 2,
      ops: {
        open: () => {
          throw new Error("open");
        },
        close: () => {
          throw new Error("close");
        },
      },
    });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      ok(yield* thread.munmap(at, world.page));
      ok(yield* thread.munmap(at + world.page, world.page));
      expect(thread.mm.areas.size).toBe(0);
    });
    expect(world.messages).toEqual([
      "test device: open threw Error: open",
      "test device: close threw Error: close",
      "test device: close threw Error: close",
    ]);
    world.finish("contract", "contract", "contract");
  });
});

describe("at the limit of areas", () => {
  test("a hole MUST be refused with ENOMEM, trimming MUST NOT", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 10);
          for (let index = 1; index < 4; index++) yield* mapAnonymous(thread, 1, { sharing: "shared" });
          expect(thread.mm.areas.size).toBe(4);
          expect(yield* thread.munmap(at + world.page, world.page)).toBe(-ENOMEM);
          expect(thread.mm.areas.size).toBe(4);
          expect(yield* thread.munmap(at, world.page)).toBe(0);
          expect(yield* thread.munmap(at + 9 * world.page, world.page)).toBe(0);
          expect(yield* thread.load(at + world.page)).toBe(0);
        },
      { maxAreas: 4 },
    );
  });
});

describe("failure injection", () => {
  test("LC-05 without memory for another area a partial munmap MUST fail with ENOMEM and change nothing", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: (site) => isGiven || site !== "vm_area_alloc" } });
    const device = new TestDevice(world, { pages: 3 });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at + world.page);
      device.takeCalls();
      isGiven = false;
      expect(yield* thread.munmap(at + world.page, world.page)).toBe(-ENOMEM);
      expect(device.takeCalls()).toEqual([]);
      expect(yield* thread.munmap(at, 3 * world.page)).toBe(0);
    });
    world.finish();
  });
});
