import { describe, expect, test } from "vitest";
import type { Page, Pfn } from "../../src/contract/units.ts";
import { Frames, REFCOUNT_MAX } from "../../src/memory/frames.ts";
import { owners } from "../../src/memory/owners.ts";
import {
  PG_dirty,
  PG_hwpoison,
  PG_initialised,
  PG_locked,
  PG_reserved,
  PG_zeroed,
} from "../../src/memory/page-flags.ts";
import { arm64_64k, x86_64 } from "../../src/mmu/geometry.ts";
import { machineMemory, present, Reports } from "./machine-memory.ts";

function onePage() {
  const { memory, reports } = machineMemory({ pagelessPages: 8 });
  const page = present(memory.pages.allocPage(owners.driver));
  return { memory, frames: memory.frames, reports, page };
}

describe("what a pfn is", () => {
  const { memory } = machineMemory({ ramPages: 64, pagelessPages: 8 });
  const { frames } = memory;

  test.each([
    [0, true, true],
    [63, true, true],
    [64, false, true],
    [71, false, true],
    [72, false, false],
    [2 ** 39, false, false],
    [-1, false, false],
  ])("pfn %i has a struct page: %s; is RAM: %s", (pfn, hasPage, isRam) => {
    expect(frames.hasPage(pfn as Pfn)).toBe(hasPage);
    expect(frames.isRam(pfn as Pfn)).toBe(isRam);
    expect(frames.pageOf(pfn as Pfn)).toBe(hasPage ? pfn : undefined);
  });

  test("a description tells the kinds apart", () => {
    expect(frames.describe(0 as Pfn)).toBe("page 0 (reserved, 1 reference, reserved)");
    expect(frames.describe(5 as Pfn)).toBe("page 5 (free)");
    expect(frames.describe(65 as Pfn)).toBe("pfn 65 (free, RAM without struct page)");
    expect(frames.describe(0xfe000 as Pfn)).toBe("pfn 0xfe000 (not RAM)");
  });
});

describe("RAM", () => {
  const violations = new Reports();

  test("of 2^31 bytes is refused, one frame less is not", () => {
    const frames = 2 ** 31 / x86_64.pageSize;
    const build = (count: number) => new Frames({ geometry: x86_64, count, violations });
    expect(() => build(frames)).toThrow(/2\^31-1 bytes of RAM: 524287 at most/);
    expect(build(frames - 1).bytes.length).toBe(2 ** 31 - 4096);
  });

  test("counts frames without struct page towards its limit", () => {
    const build = () => new Frames({ geometry: arm64_64k, count: 2 ** 14, pageless: 2 ** 14, violations });
    expect(build).toThrow(RangeError);
  });

  test("without a frame to hand out is refused", () => {
    expect(() => new Frames({ geometry: x86_64, count: 1, violations })).toThrow(RangeError);
  });
});

describe("references", () => {
  test("the last put frees the page, and only the last", () => {
    const { memory, frames, page, reports } = onePage();
    const free = memory.freeFrames;
    frames.get(page);
    expect(frames.put(page)).toBe(false);
    expect(memory.freeFrames).toBe(free);
    expect(frames.put(page)).toBe(true);
    expect(memory.freeFrames).toBe(free + 1);
    expect(frames.isAllocated(page)).toBe(false);
    expect(reports.take()).toEqual([]);
  });

  test("put on a free page is an underflow and changes nothing", () => {
    const { memory, frames, page, reports } = onePage();
    frames.put(page);
    const free = memory.freeFrames;
    expect(frames.put(page)).toBe(false);
    expect(reports.take()).toEqual(["refcount-underflow"]);
    expect(memory.freeFrames).toBe(free);
    expect(frames.refcount[page]).toBe(0);
  });

  test("get on a free page is a use after free, tryGet just fails", () => {
    const { frames, page, reports } = onePage();
    frames.put(page);
    frames.get(page);
    expect(reports.take()).toEqual(["use-after-free"]);
    expect(frames.tryGet(page)).toBe(false);
    expect(reports.take()).toEqual([]);
    expect(frames.refcount[page]).toBe(0);
  });

  test("RC-05 a saturated count refuses and does not wrap", () => {
    const { frames, page, reports } = onePage();
    frames.refcount[page] = REFCOUNT_MAX;
    expect(frames.tryGet(page)).toBe(false);
    expect(frames.tryPin(page)).toBe(false);
    frames.get(page);
    expect(reports.take()).toEqual(["refcount-overflow"]);
    expect(frames.refcount[page]).toBe(REFCOUNT_MAX);
    expect(frames.pincount[page]).toBe(0);
  });

  test.each(["get", "put", "tryGet", "addMapping"] as const)(
    "%s on a pfn without struct page is a mix-up",
    (operation) => {
      const { memory, frames, reports } = onePage();
      for (const pfn of [memory.frames.count, 2 ** 39, -1]) {
        frames[operation](pfn as Pfn as Page);
        expect(reports.take()).toEqual(["page-kind"]);
      }
    },
  );

  test("a page dropped while mapped stays until the mapping is gone", () => {
    const { frames, page, reports } = onePage();
    frames.addMapping(page);
    expect(frames.put(page)).toBe(false);
    expect(reports.take()).toEqual(["use-after-free"]);
    expect(frames.refcount[page]).toBe(1);
    frames.removeMapping(page);
    expect(frames.put(page)).toBe(true);
    expect(reports.take()).toEqual([]);
  });

  test("a page dropped while pinned stays", () => {
    const { frames, page, reports } = onePage();
    expect(frames.tryPin(page)).toBe(true);
    expect(frames.refcount[page]).toBe(2);
    expect(frames.put(page)).toBe(false);
    expect(frames.put(page)).toBe(false);
    expect(reports.take()).toEqual(["use-after-free"]);
    expect(frames.unpin(page)).toBe(true);
    expect(reports.take()).toEqual([]);
  });

  test.each([PG_reserved, PG_locked])("a page dropped with flag %i set stays", (flag) => {
    const { frames, page, reports } = onePage();
    frames.setFlags(page, flag);
    expect(frames.put(page)).toBe(false);
    expect(reports.take()).toEqual(["page-kind"]);
    frames.clearFlags(page, flag);
    expect(frames.put(page)).toBe(true);
  });

  test("a mapping or a pin too few is an underflow", () => {
    const { frames, page, reports } = onePage();
    frames.removeMapping(page);
    expect(frames.unpin(page)).toBe(false);
    expect(reports.take()).toEqual(["refcount-underflow", "refcount-underflow"]);
    expect([frames.refcount[page], frames.mapcount[page], frames.pincount[page]]).toEqual([1, 0, 0]);
  });

  test("a mapping of a free page is a use after free", () => {
    const { frames, page, reports } = onePage();
    frames.put(page);
    frames.addMapping(page);
    expect(reports.take()).toEqual(["use-after-free"]);
    expect(frames.mapcount[page]).toBe(0);
  });

  test("a frame's generation tells its owners apart", () => {
    const { memory, frames, page } = onePage();
    const before = frames.generation[page];
    frames.put(page);
    expect(memory.pages.allocPage(owners.anon)).toBe(page);
    expect(frames.generation[page]).toBe(before + 1);
  });

  test("broken hardware is never handed out again", () => {
    const { memory, frames, page, reports } = onePage();
    const free = memory.freeFrames;
    frames.setFlags(page, PG_hwpoison);
    expect(frames.put(page)).toBe(true);
    expect(memory.freeFrames).toBe(free);
    for (let left = free; left > 8; left--) expect(memory.pages.allocPage(owners.anon)).not.toBe(page);
    expect(frames.hasFlags(page, PG_hwpoison)).toBe(true);
    expect(reports.take()).toEqual([]);
  });
});

describe("contents", () => {
  test("a new frame is zero, but counts as uninitialised until it is cleared or written", () => {
    const { frames, page } = onePage();
    expect(frames.hasFlags(page, PG_zeroed)).toBe(true);
    expect(frames.initialisedBytes(page)).toBe(0);
    frames.clear(page);
    expect(frames.initialisedBytes(page)).toBe(4096);
  });

  test("what one owner wrote is there for the next, until it is cleared", () => {
    const { memory, frames, page } = onePage();
    frames.markWritten(page, 0, 4);
    frames.words[(page * 4096) / 4] = 0x5ec4e7;
    frames.put(page);
    expect(memory.pages.allocPage(owners.anon)).toBe(page);
    expect(frames.words[(page * 4096) / 4]).toBe(0x5ec4e7);
    expect(frames.initialisedBytes(page)).toBe(0);
    frames.clear(page);
    expect(frames.words[(page * 4096) / 4]).toBe(0);
  });

  test("writes without a gap make a frame initialised, others do not", () => {
    const { frames, page } = onePage();
    frames.markWritten(page, 0, 1000);
    frames.markWritten(page, 2000, 2096);
    expect(frames.initialisedBytes(page)).toBe(1000);
    frames.markWritten(page, 900, 3196);
    expect(frames.initialisedBytes(page)).toBe(4096);
    expect(frames.hasFlags(page, PG_initialised)).toBe(true);
  });

  test("a copy takes the bytes and what is known of them", () => {
    const { memory, frames, page } = onePage();
    const copy = present(memory.pages.allocPage(owners.anon));
    frames.markWritten(page, 0, 4096);
    frames.bytes.fill(7, page * 4096, (page + 1) * 4096);
    frames.copy(copy, page);
    expect(frames.bytes[copy * 4096 + 4095]).toBe(7);
    expect(frames.initialisedBytes(copy)).toBe(4096);
    expect(frames.hasFlags(copy, PG_zeroed)).toBe(false);
    frames.clear(page);
    frames.copy(copy, page);
    expect(frames.bytes[copy * 4096 + 4095]).toBe(0);
    expect(frames.hasFlags(copy, PG_zeroed)).toBe(true);
  });

  test("set_page_dirty is not mistaken for a clean frame at the next allocation", () => {
    const { memory, frames, page } = onePage();
    frames.markDirty(page);
    expect(frames.hasFlags(page, PG_dirty)).toBe(true);
    frames.put(page);
    const again = present(memory.pages.allocPage(owners.anon));
    expect(again).toBe(page);
    expect(frames.hasFlags(again, PG_dirty | PG_zeroed)).toBe(false);
  });
});

describe("who holds what", () => {
  test("frames in use are counted by owner, in order of name", () => {
    const { memory } = machineMemory();
    const { frames, pages } = memory;
    const camera = frames.ownerTable.tag("camera");
    pages.allocPage(owners.pageCache);
    pages.getFreePages(2, "compound", camera);
    pages.allocPage(owners.anon);
    const gone = present(pages.allocPage(owners.driver));
    frames.put(gone);
    expect([...frames.inUseByOwner()]).toEqual([
      ["anon", 1],
      ["camera", 4],
      ["page-cache", 1],
    ]);
  });

  test("an owner's tag stays the same", () => {
    const { ownerTable } = machineMemory().memory.frames;
    expect(ownerTable.tag("driver")).toBe(owners.driver);
    expect(ownerTable.tag("camera")).toBe(ownerTable.tag("camera"));
    expect(ownerTable.name(ownerTable.tag("camera"))).toBe("camera");
  });
});
