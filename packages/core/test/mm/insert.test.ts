import { describe, expect, test } from "vitest";
import { areaFlagNames, VM_MIXEDMAP, VM_PFNMAP } from "../../src/contract/area-flags.ts";
import { EBUSY, EFAULT, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { MappableArea } from "../../src/contract/file.ts";
import { installed, oom, sigbus } from "../../src/contract/outcome.ts";
import type { Page, Pfn, UserAddress } from "../../src/contract/units.ts";
import { REFCOUNT_MAX } from "../../src/memory/frames.ts";
import { owners } from "../../src/memory/owners.ts";
import { map, mapAnonymous, TestDevice, tryMap } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

/** Runs kernel code in the mmap hook of a device with two pages and four I/O pages. */
function inHook(
  body: (area: MappableArea, device: TestDevice) => Sleepable<void>,
  options: { readonly flags?: number; readonly sharing?: "shared" | "private" } = {},
): World {
  const world = new World({ pagelessPages: 8 });
  const device = new TestDevice(world, {
    pages: 2,
    ioPages: 4,
    *mmap(area, self) {
      area.flags |= options.flags ?? 0;
      yield* body(area, self);
      return 0;
    },
  });
  world.run(function* (thread) {
    yield* map(thread, device, { sharing: options.sharing ?? "shared" });
    world.expectAgreement();
  });
  return world;
}

describe("insertPfn", () => {
  test("PF-02 MUST answer installed, and SIGBUS outside the area or for a frame that cannot be", () => {
    inHook(
      function* (area, { world, ioPfn }) {
        const insert = (address: number, pfn: number) =>
          world.kernel.mappings.insertPfn(area, address as UserAddress, pfn as Pfn);
        expect(yield* insert(area.start, ioPfn)).toBe(installed);
        expect(yield* insert(area.end, ioPfn)).toBe(sigbus);
        expect(yield* insert(area.start - 1, ioPfn)).toBe(sigbus);
        expect(yield* insert(area.start, 2 ** 40)).toBe(sigbus);
      },
      { flags: VM_PFNMAP },
    ).finish();
  });

  test("PF-02 without memory for a table MUST answer oom", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: (site) => isGiven || site !== "page-table" } });
    const device: TestDevice = new TestDevice(world, {
      ioPages: 1,
      *mmap(area, self) {
        area.flags |= VM_PFNMAP;
        isGiven = false;
        expect(yield* world.kernel.mappings.insertPfn(area, area.start, self.ioPfn)).toBe(oom);
        isGiven = true;
        return 0;
      },
    });
    world.run(function* (thread) {
      yield* map(thread, device);
    });
    world.finish();
  });

  test("PF-03 into an occupied slot MUST leave what is there and say installed", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        ioPages: 4,
        *mmap(area, self) {
          area.flags |= VM_PFNMAP;
          const { mappings } = world.kernel;
          expect(yield* mappings.insertPfn(area, area.start, self.ioPfn)).toBe(installed);
          expect(yield* mappings.insertPfn(area, area.start, (self.ioPfn + 2) as Pfn)).toBe(installed);
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.load(at + 8)).toBe(8);
      };
    });
  });

  test("PF-04 MUST count nothing, though the frame has a struct page", () => {
    inHook(
      function* (area, device) {
        const [page] = device.pages;
        expect(yield* device.world.kernel.mappings.insertPfn(area, area.start, page as Page)).toBe(installed);
        expect(device.extraReferences).toEqual([0, 0]);
        expect(area.mm.rss).toBe(0);
      },
      { flags: VM_PFNMAP },
    ).finish();
  });

  test.each([
    ["neither VM_PFNMAP nor VM_MIXEDMAP", 0, "shared", 0, "area-rule"],
    ["both VM_PFNMAP and VM_MIXEDMAP", VM_PFNMAP | VM_MIXEDMAP, "shared", 0, "area-rule"],
    ["VM_PFNMAP and copy on write", VM_PFNMAP, "private", 0, "area-rule"],
    ["VM_MIXEDMAP for a frame with a struct page", VM_MIXEDMAP, "shared", 5, "page-kind"],
    ["a number that is no frame number", VM_PFNMAP, "shared", -3, "page-kind"],
  ] as const)(
    "PF-01 with %s MUST be refused with SIGBUS and reported",
    (_name, flags, sharing, pfn, kind) => {
      inHook(
        function* (area, device) {
          const frame = (pfn === 0 ? device.ioPfn : pfn) as Pfn;
          expect(yield* device.world.kernel.mappings.insertPfn(area, area.start, frame)).toBe(sigbus);
          area.flags &= ~VM_MIXEDMAP;
        },
        { flags, sharing },
      ).finish(kind);
    },
  );

  test("PF-01 of I/O memory and of RAM without struct page MUST be possible beside pages", () => {
    inHook(
      function* (area, device) {
        const { mappings } = device.world.kernel;
        expect(yield* mappings.insertPfn(area, area.start, device.ioPfn)).toBe(installed);
        const next = (area.start + device.world.page) as UserAddress;
        expect(yield* mappings.insertPfn(area, next, 96 as Pfn)).toBe(installed);
      },
      { flags: VM_MIXEDMAP },
    ).finish();
  });
});

describe("insertPage", () => {
  test("RE-08 MUST mark the area mixed, and take one reference and one page of rss for each", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 3, mmap: (area, self) => self.insertAll(area) });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(areaFlagNames(thread.mm.areas.find(at)?.flags ?? 0)).toContain("mm");
        expect(device.extraReferences).toEqual([1, 1, 1]);
        expect(thread.mm.rssFile).toBe(3);
        yield* thread.store(at + 2 * world.page, 9);
        expect(device.word(2)).toBe(9);
        expect(thread.minorFaults).toBe(0);
        world.expectAgreement();
        ok(yield* thread.munmap(at, 3 * world.page));
        expect(device.extraReferences).toEqual([0, 0, 0]);
      };
    });
  });

  test("RE-09 outside the area MUST be refused with EFAULT, into an occupied slot with EBUSY", () => {
    inHook(function* (area, device) {
      const { mappings } = device.world.kernel;
      const [first, second] = device.pages as [Page, Page];
      expect(yield* mappings.insertPage(area, area.end, first)).toBe(-EFAULT);
      expect(yield* mappings.insertPage(area, (area.start - 1) as UserAddress, first)).toBe(-EFAULT);
      expect(yield* mappings.insertPage(area, area.start, first)).toBe(0);
      expect(yield* mappings.insertPage(area, area.start, second)).toBe(-EBUSY);
      expect(device.extraReferences).toEqual([1, 0]);
    }).finish();
  });

  test("RE-09 of a free, anonymous or slab page or one without a count MUST be refused with EINVAL", () => {
    runProgram((world) => {
      const { memory } = world.machine;
      const bare = memory.pages.getFreePages(1, "bare", owners.driver)!;
      const compound = memory.pages.getFreePages(1, "compound", owners.driver)!;
      memory.frames.clear((compound + 1) as Page);
      const slab = memory.kmalloc.kmalloc(64)!;
      world.atEnd(() => {
        memory.pages.freePages(bare, 1);
        memory.pages.freePages(compound, 1);
        memory.kmalloc.kfree(slab);
      });
      const results: number[] = [];
      const device = new TestDevice(world, {
        *mmap(area) {
          const own = area.mm.table.entryOf(area.mm.areas.all()[0]!.start / world.page);
          const pages = [
            90,
            Math.floor(own / 4096),
            memory.directMap.virtToPage(slab),
            bare + 1,
            compound + 1,
          ];
          for (const page of pages) {
            results.push(yield* world.kernel.mappings.insertPage(area, area.start, page as Page));
          }
          return 0;
        },
      });
      return function* (thread) {
        const anonymous = yield* mapAnonymous(thread, 1);
        yield* thread.store(anonymous, 1);
        const at = yield* map(thread, device);
        expect(results).toEqual([-EINVAL, -EINVAL, -EINVAL, -EINVAL, 0]);
        expect(memory.frames.refcount[compound]).toBe(2);
        ok(yield* thread.munmap(at, world.page));
      };
    });
  });

  test("RC-05 of a page whose count is at its limit MUST fail instead of wrapping", () => {
    inHook(function* (area, device) {
      const { frames } = device.world.machine.memory;
      const page = device.pages[0] as Page;
      frames.refcount[page] = REFCOUNT_MAX;
      expect(yield* device.world.kernel.mappings.insertPage(area, area.start, page)).toBe(-ENOMEM);
      expect(frames.refcount[page]).toBe(REFCOUNT_MAX);
      frames.refcount[page] = 1;
    }).finish();
  });

  test("AT-04 after the mmap hook MUST find VM_MIXEDMAP set, or be refused and reported", () => {
    const world = new World();
    let result: number | undefined;
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: {
        *nopage(fault) {
          result = yield* world.kernel.mappings.insertPage(
            fault.area,
            fault.address,
            device.pages[0] as Page,
          );
          return result === 0 ? installed : sigbus;
        },
      },
    });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
      thread.mm.areas.find(at)!.flags |= VM_MIXEDMAP;
      expect(yield* thread.load(at)).toBe(0x1000);
    });
    world.finish("area-rule");
  });

  test("into an area of bare frames MUST be refused and reported", () => {
    inHook(
      function* (area, device) {
        const page = device.pages[0] as Page;
        expect(yield* device.world.kernel.mappings.insertPage(area, area.start, page)).toBe(-EINVAL);
      },
      { flags: VM_PFNMAP },
    ).finish("area-rule");
  });

  test("GP-13 a page so mapped MUST outlive munmap and the driver's own free while it is pinned", () => {
    const world = new World();
    const { frames } = world.machine.memory;
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      mmap: (area, self) => self.insertAll(area),
    });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      const pages = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, {
        access: "write",
        hold: "pin",
        permission: "checked",
      });
      expect(pages).toEqual(device.pages);
      ok(yield* thread.munmap(at, world.page));
      const [page] = device.pages.splice(0) as [Page];
      frames.put(page);
      expect(frames.refcount[page]).toBe(1);
      yield* world.kernel.user.releasePage(thread.mm, page, "pin", "dirty");
      expect(frames.isAllocated(page)).toBe(false);
    });
    world.finish();
  });
});

describe("a driver that refuses", () => {
  test("MM-07 an offset beyond its object MUST have its errno handed on", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2, mmap: (area, self) => self.insertAll(area) });
      return function* (thread) {
        expect(yield* tryMap(thread, device, { pages: 2, pgoff: 1 })).toBe(-EINVAL);
        expect(device.extraReferences).toEqual([0, 0]);
      };
    });
  });
});
