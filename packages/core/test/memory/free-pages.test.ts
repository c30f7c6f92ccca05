import { describe, expect, test } from "vitest";
import type { Page } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { PG_hwpoison } from "../../src/memory/page-flags.ts";
import { type MemoryUnderTest, machineMemory, present } from "./machine-memory.ts";

function block(shape: "compound" | "split" | "bare", order = 2) {
  const under = machineMemory();
  const before = under.memory.freeFrames;
  const page = present(under.memory.pages.getFreePages(order, shape, owners.driver));
  return { ...under, frames: under.memory.frames, pages: under.memory.pages, page, before };
}

function at(page: Page, offset: number): Page {
  return (page + offset) as Page;
}

function counts({ memory }: MemoryUnderTest, page: Page): number[] {
  return Array.from({ length: 4 }, (_, offset) => memory.frames.refcount[page + offset]);
}

describe("LK-01 a compound block", () => {
  test("is counted on its head whichever page is referenced", () => {
    const under = block("compound");
    under.frames.get(at(under.page, 3));
    expect(counts(under, under.page)).toEqual([2, 0, 0, 0]);
    expect(under.frames.headOf(at(under.page, 3))).toBe(under.page);
    expect(under.frames.orderOf(at(under.page, 3))).toBe(2);
  });

  test("lives until the last reference to any of its pages", () => {
    const { frames, pages, page, memory, before, reports } = block("compound");
    frames.get(at(page, 1));
    expect(pages.freePages(page, 2)).toBe(false);
    expect(memory.freeFrames).toBe(before - 4);
    expect(frames.put(at(page, 1))).toBe(true);
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });

  test("may not go while one of its tails is mapped", () => {
    const { frames, pages, page, reports } = block("compound");
    frames.addMapping(at(page, 2));
    expect(pages.freePages(page, 2)).toBe(false);
    expect(reports.take()).toEqual(["use-after-free"]);
    expect(frames.refcount[page]).toBe(1);
  });
});

describe("LK-01 a split block", () => {
  test("has a reference a page, and each page goes by itself", () => {
    const under = block("split");
    const { frames, page, memory, before, reports } = under;
    expect(counts(under, page)).toEqual([1, 1, 1, 1]);
    frames.get(at(page, 1));
    for (let offset = 0; offset < 4; offset++) frames.put(at(page, offset));
    expect(memory.freeFrames).toBe(before - 1);
    frames.put(at(page, 1));
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });

  test("may not be given back as one", () => {
    const { pages, page, reports, memory, before } = block("split");
    expect(pages.freePages(page, 2)).toBe(false);
    expect(reports.take()).toEqual(["page-kind"]);
    expect(memory.freeFrames).toBe(before - 4);
  });
});

describe("LK-01 a bare block", () => {
  test("has a reference to its first page only, and taking another is reported", () => {
    const under = block("bare");
    const { frames, page, reports } = under;
    expect(counts(under, page)).toEqual([1, 0, 0, 0]);
    frames.get(at(page, 1));
    expect(reports.messages[0]).toContain(`in the block of page ${page}`);
    expect(reports.take()).toEqual(["page-kind"]);
    expect(frames.tryGet(at(page, 1))).toBe(false);
    expect(counts(under, page)).toEqual([1, 0, 0, 0]);
  });

  test("goes as one", () => {
    const { pages, page, memory, before, reports } = block("bare");
    expect(pages.freePages(page, 2)).toBe(true);
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });

  test("keeps its first page, and no other, for whoever has a reference to it", () => {
    const { frames, pages, page, memory, before, reports } = block("bare");
    frames.get(page);
    expect(pages.freePages(page, 2)).toBe(false);
    expect(memory.freeFrames).toBe(before - 1);
    expect(frames.put(page)).toBe(true);
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });

  test("loses its first page to a put too many, as on Linux, and the rest is leaked", () => {
    const { frames, pages, page, memory, before, reports } = block("bare");
    expect(frames.put(page)).toBe(true);
    expect(memory.freeFrames).toBe(before - 3);
    pages.freePages(page, 2);
    expect(reports.take()).toEqual(["double-free"]);
    expect([...frames.inUseByOwner()]).toEqual([["driver", 3]]);
  });
});

describe("a free that is wrong is reported and changes nothing", () => {
  test.each(["compound", "bare"] as const)("a %s block twice", (shape) => {
    const { pages, page, memory, before, reports } = block(shape);
    pages.freePages(page, 2);
    expect(pages.freePages(page, 2)).toBe(false);
    expect(reports.take()).toEqual(["double-free"]);
    expect(memory.freeFrames).toBe(before);
  });

  test.each(["compound", "bare"] as const)("a %s block with another order", (shape) => {
    const { pages, page, memory, before, reports } = block(shape);
    expect(pages.freePages(page, 1)).toBe(false);
    expect(pages.freePages(page, 0)).toBe(false);
    expect(pages.freePages(page, 3)).toBe(false);
    expect(reports.take()).toEqual(["page-kind", "page-kind", "page-kind"]);
    expect(memory.freeFrames).toBe(before - 4);
  });

  test.each(["compound", "bare"] as const)("from the middle of a %s block", (shape) => {
    const { pages, page, memory, before, reports } = block(shape);
    expect(pages.freePages(at(page, 1), 0)).toBe(false);
    expect(pages.freePages(at(page, 2), 2)).toBe(false);
    expect(reports.take()).toEqual(["page-kind", "page-kind"]);
    expect(memory.freeFrames).toBe(before - 4);
  });

  test("what has no struct page", () => {
    const { pages, memory, reports } = block("bare");
    expect(pages.freePages(memory.frames.total as Page, 0)).toBe(false);
    expect(reports.take()).toEqual(["page-kind"]);
  });

  test("frame 0", () => {
    const { pages, reports, frames } = block("bare");
    expect(pages.freePages(0 as Page, 0)).toBe(false);
    expect(reports.take()).toEqual(["page-kind"]);
    expect(frames.refcount[0]).toBe(1);
  });
});

describe("allocation", () => {
  test("never hands out frame 0 and ends with undefined", () => {
    const { memory } = machineMemory({ ramPages: 16 });
    const taken: number[] = [];
    for (let page = memory.pages.allocPage(owners.anon); page !== undefined; ) {
      taken.push(page);
      page = memory.pages.allocPage(owners.anon);
    }
    expect(taken.sort((one, other) => one - other)).toEqual(Array.from({ length: 15 }, (_, pfn) => pfn + 1));
    expect(memory.freeFrames).toBe(0);
  });

  test("of an order above the largest fails, of a nonsense order throws", () => {
    const { pages } = machineMemory().memory;
    expect(pages.getFreePages(11, "compound", owners.driver)).toBeUndefined();
    expect(() => pages.getFreePages(-1, "compound", owners.driver)).toThrow(RangeError);
    expect(() => pages.getFreePages(1.5, "compound", owners.driver)).toThrow(RangeError);
  });

  test("fails where the gate says so, with nothing taken", () => {
    const { memory, gate } = machineMemory();
    const before = memory.freeFrames;
    gate.failAt = 2;
    expect(memory.pages.allocPage(owners.anon)).toBeDefined();
    expect(memory.pages.getFreePages(2, "bare", owners.driver)).toBeUndefined();
    expect(memory.freeFrames).toBe(before - 1);
    expect(gate.sites).toEqual(["alloc_pages", "alloc_pages"]);
  });

  test("a zeroed page holds nothing of its last owner", () => {
    const { frames, pages } = machineMemory().memory;
    const page = present(pages.allocPage(owners.anon));
    frames.markWritten(page, 8, 1);
    frames.bytes[page * 4096 + 8] = 1;
    frames.put(page);
    expect(pages.allocZeroedPage(owners.anon)).toBe(page);
    expect(frames.bytes[page * 4096 + 8]).toBe(0);
  });

  test("a block of which one frame broke comes back without it", () => {
    const { frames, pages, page, memory, before } = block("compound", 3);
    frames.setFlags(at(page, 5), PG_hwpoison);
    expect(pages.freePages(page, 3)).toBe(true);
    expect(memory.freeFrames).toBe(before - 1);
  });
});
