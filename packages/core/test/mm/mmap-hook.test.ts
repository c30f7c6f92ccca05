import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_MAYWRITE, VM_READ } from "../../src/contract/area-flags.ts";
import { EAGAIN, EINVAL, ENXIO } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import { map, mapAnonymous, openDevice, TestDevice, tryMap } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

describe("a hook that fails", () => {
  function* fillThenFail(
    device: TestDevice,
    area: Parameters<TestDevice["insertAll"]>[0],
  ): Sleepable<number> {
    ok(yield* device.insertAll(area));
    expect(area.mm.rssFile).toBe(3);
    return -EAGAIN;
  }

  test("MM-08 MUST have its errno handed on, without open or close, and everything that it mapped taken back", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 3, mmap: (area, self) => fillThenFail(self, area) });
      return function* (thread) {
        const tables = world.machine.tables.tablesInUse;
        expect(yield* tryMap(thread, device)).toBe(-EAGAIN);
        expect(device.takeCalls()).toEqual(["mmap [0, 3)", "release"]);
        expect(thread.mm.rss).toBe(0);
        expect(device.extraReferences).toEqual([0, 0, 0]);
        expect(world.machine.tables.tablesInUse).toBe(tables);
        expect(device.inode.mapping.size).toBe(0);
        world.expectAgreement();
      };
    });
  });

  test("RC-06 MUST leave the charged size and the number of areas as they were", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1, mmap: () => -ENXIO });
      return function* (thread) {
        yield* mapAnonymous(thread, 5);
        const { totalPages } = thread.mm;
        const { size } = thread.mm.areas;
        expect(yield* tryMap(thread, device)).toBe(-ENXIO);
        expect([thread.mm.totalPages, thread.mm.areas.size]).toEqual([totalPages, size]);
      };
    });
  });

  test("by throwing is reported by name and refused", () => {
    const world = new World();
    const device = new TestDevice(world, {
      pages: 1,
      mmap: () => {
        throw new Error("out of order");
      },
    });
    world.run(function* (thread) {
      expect(yield* tryMap(thread, device)).toBe(-EINVAL);
    });
    expect(world.messages).toEqual(["test device: mmap threw Error: out of order"]);
    world.finish("contract");
  });

  test("by answering what is no errno is reported by name and refused", () => {
    const world = new World();
    const device = new TestDevice(world, { pages: 1, mmap: () => 7 });
    world.run(function* (thread) {
      expect(yield* tryMap(thread, device)).toBe(-EINVAL);
    });
    expect(world.messages).toEqual(["test device: mmap answered 7 instead of 0 or a negated errno"]);
    world.finish("contract");
  });
});

describe("what a hook may change", () => {
  test("MM-09 flags, offset, cache mode and private data MUST be kept", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area) => {
          area.flags &= ~VM_MAYWRITE;
          area.flags |= 0x0002_0000;
          area.pgoff = 40;
          area.cache = "uncached";
          area.privateData = "mine";
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        const area = thread.mm.areas.find(at);
        expect(area?.pgoff).toBe(40);
        expect(area?.cache).toBe("uncached");
        expect(area?.privateData).toBe("mine");
        expect(areaFlagNames(area?.flags ?? 0).join(" ")).toBe("rd wr sh mr me ms dc");
        expect(device.inode.mapping.areasShowing(40, 1)).toEqual([area]);
        world.expectAgreement();
      };
    });
  });

  test("MM-09 moving the bounds MUST be reported, and is undone", () => {
    const world = new World();
    const device = new TestDevice(world, {
      pages: 2,
      mmap: (area) => {
        (area as { end: number }).end += world.page;
        return 0;
      },
    });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      expect(thread.mm.areas.find(at)?.pages).toBe(2);
    });
    expect(world.messages[0]).toMatch(/^the mmap hook of test device moved the bounds of area/);
    world.finish("area-rule");
  });

  test("MM-09 adding VM_MAYWRITE MUST be reported", () => {
    const world = new World();
    const device = new TestDevice(world, {
      pages: 1,
      mmap: (area) => {
        area.flags |= VM_MAYWRITE;
        return 0;
      },
    });
    world.run(function* (thread) {
      const descriptor = yield* openDevice(thread, device, "read");
      ok(yield* thread.mmap({ length: world.page, protection: VM_READ, sharing: "shared", descriptor }));
    });
    expect(world.messages[0]).toMatch(/^the mmap hook of test device added a MAY flag to area/);
    world.finish("area-rule");
  });

  test("MM-10 an area of a driver that sets no operations MUST NOT become anonymous", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area) => {
          area.ops = undefined;
          return 0;
        },
      });
      return function* (thread) {
        for (const sharing of ["shared", "private"] as const) {
          const at = yield* map(thread, device, { sharing });
          expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
          expect(trapOf(yield* thread.store(at, 1))).toBe("SIGBUS BUS_ADRERR");
        }
      };
    });
  });
});
