import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runsOf } from "../../../../tools/exploration.ts";
import { geometries, i386, x86_64 } from "../../src/mmu/geometry.ts";
import { makePte, PTE_PRESENT, PTE_READ, PTE_WRITE, type Pte } from "../../src/mmu/pte.ts";
import { spaceTag, Tlb } from "../../src/mmu/tlb.ts";

const READABLE = PTE_PRESENT | PTE_READ;
const RAM = 1024;
const PAGE = 4096;

function newTlb(size = 16): Tlb {
  const tlb = new Tlb(x86_64, size);
  tlb.switchTo(1);
  return tlb;
}

describe("a translation", () => {
  test("is found by its page and by no other", () => {
    const tlb = newTlb();
    tlb.insert(5 * PAGE, makePte(7, READABLE), RAM);
    expect(tlb.lookup(5 * PAGE)).toBe(makePte(7, READABLE));
    expect(tlb.lookup(6 * PAGE)).toBe(0);
    expect(tlb.lookup((5 + 16) * PAGE)).toBe(0);
  });

  test("stays, whatever becomes of the page table, until it is flushed", () => {
    const tlb = newTlb();
    tlb.insert(5 * PAGE, makePte(7, READABLE), RAM);
    tlb.flushRange(0, 5 * PAGE);
    tlb.flushRange(6 * PAGE, 9 * PAGE);
    expect(tlb.lookup(5 * PAGE)).toBe(makePte(7, READABLE));
    tlb.flushRange(5 * PAGE, 6 * PAGE);
    expect(tlb.lookup(5 * PAGE)).toBe(0);
  });

  test("gives way to one that shares its slot", () => {
    const tlb = newTlb(16);
    tlb.insert(3 * PAGE, makePte(7, READABLE), RAM);
    tlb.insert((3 + 16) * PAGE, makePte(8, READABLE), RAM);
    expect(tlb.lookup(3 * PAGE)).toBe(0);
    expect(tlb.lookup((3 + 16) * PAGE)).toBe(makePte(8, READABLE));
    tlb.flushRange(3 * PAGE, 4 * PAGE);
    expect(tlb.lookup((3 + 16) * PAGE)).toBe(makePte(8, READABLE));
  });

  test("is replaced by a newer one of the same page", () => {
    const tlb = newTlb();
    tlb.insert(PAGE, makePte(7, READABLE), RAM);
    tlb.insert(PAGE, makePte(7, READABLE | PTE_WRITE), RAM);
    expect(tlb.lookup(PAGE)).toBe(makePte(7, READABLE | PTE_WRITE));
    expect([...tlb.cached()]).toHaveLength(1);
  });

  test("of a high page and a large frame number is exact", () => {
    const tlb = newTlb();
    const base = 2 ** 47 - 2 * PAGE;
    tlb.insert(base, makePte(2 ** 40 - 1, READABLE), RAM);
    expect(tlb.lookup(base)).toBe(makePte(2 ** 40 - 1, READABLE));
    tlb.flushRange(base, base + PAGE);
    expect(tlb.lookup(base)).toBe(0);
  });

  test("offers its frame for fast loads only if it is readable RAM", () => {
    const tlb = newTlb();
    const ram = tlb.insert(PAGE, makePte(7, READABLE), RAM);
    expect(tlb.readTag[ram]).toBe(PAGE + spaceTag(1));
    expect(tlb.ramOffset[ram]).toBe(7 * PAGE);
    const hidden = tlb.insert(2 * PAGE, makePte(7, PTE_PRESENT), RAM);
    expect(tlb.readTag[hidden]).toBe(-1);
    const device = tlb.insert(3 * PAGE, makePte(RAM, READABLE), RAM);
    expect(tlb.readTag[device]).toBe(-1);
    expect(tlb.ramOffset[device]).toBe(-1);
  });
});

describe("a flush", () => {
  test("of everything leaves nothing, and is counted", () => {
    const tlb = newTlb();
    for (let page = 0; page < 16; page++) tlb.insert(page * PAGE, makePte(page, READABLE), RAM);
    expect([...tlb.cached()]).toHaveLength(16);
    tlb.flushAll();
    expect([...tlb.cached()]).toHaveLength(0);
    expect(tlb.readTag.every((tag) => tag === -1)).toBe(true);
    expect(tlb.flushes).toBe(1);
  });

  test("of a range larger than the TLB drops everything", () => {
    const tlb = newTlb(16);
    tlb.insert(100 * PAGE, makePte(1, READABLE), RAM);
    tlb.flushRange(0, 16 * PAGE);
    expect([...tlb.cached()]).toHaveLength(0);
  });

  test("of an empty TLB still counts as one", () => {
    const tlb = newTlb();
    tlb.flushRange(0, PAGE);
    tlb.flushAll();
    expect(tlb.flushes).toBe(2);
  });
});

describe("another address space", () => {
  test("finds nothing of the last one", () => {
    const tlb = newTlb();
    tlb.insert(PAGE, makePte(7, READABLE), RAM);
    tlb.switchTo(2);
    expect(tlb.lookup(PAGE)).toBe(0);
    tlb.switchTo(1);
    expect(tlb.lookup(PAGE)).toBe(0);
  });

  test("is not entered by switching to the one that is there", () => {
    const tlb = newTlb();
    tlb.insert(PAGE, makePte(7, READABLE), RAM);
    tlb.switchTo(1);
    expect(tlb.lookup(PAGE)).toBe(makePte(7, READABLE));
  });
});

/** What a test does: insert a page, flush pages, or switch spaces. */
type Step =
  | { readonly insert: number; readonly pfn: number }
  | { readonly flush: number; readonly pages: number }
  | { readonly space: number };

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ insert: fc.nat({ max: 40 }), pfn: fc.nat({ max: 2000 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ flush: fc.nat({ max: 40 }), pages: fc.integer({ min: 1, max: 20 }) }),
    },
    { weight: 1, arbitrary: fc.record({ space: fc.integer({ min: 1, max: 3 }) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 80, size: "max" },
);

describe.each([x86_64, i386, geometries.alpha, geometries["arm64-64k"]])("a TLB of $name", (geometry) => {
  test("answers with what a map would, or with nothing", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 4, 16), (program, size) => {
        const { pageSize } = geometry;
        const tlb = new Tlb(geometry, size);
        tlb.switchTo(1);
        let space = 1;
        const model = new Map<number, Pte>();
        for (const step of program) {
          if ("insert" in step) {
            const entry = makePte(step.pfn, READABLE);
            for (const page of model.keys()) if (page % size === step.insert % size) model.delete(page);
            model.set(step.insert, entry);
            tlb.insert(step.insert * pageSize, entry, RAM);
          } else if ("flush" in step) {
            if (step.pages >= size) model.clear();
            for (let page = step.flush; page < step.flush + step.pages; page++) model.delete(page);
            tlb.flushRange(step.flush * pageSize, (step.flush + step.pages) * pageSize);
          } else {
            if (step.space !== space) model.clear();
            space = step.space;
            tlb.switchTo(space);
          }
          for (let page = 0; page <= 40; page++) {
            expect(tlb.lookup(page * pageSize)).toBe(model.get(page) ?? 0);
          }
          expect([...tlb.cached()]).toHaveLength(model.size);
        }
      }),
      { numRuns: runsOf(50) },
    );
  });
});
