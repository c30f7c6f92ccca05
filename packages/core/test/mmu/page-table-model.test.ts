import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runsOf } from "../../../../tools/exploration.ts";
import { type Geometry, geometries, pagesPerEntry } from "../../src/mmu/geometry.ts";
import { PageTable } from "../../src/mmu/page-table.ts";
import { makePte, PTE_LARGE, PTE_PRESENT, PTE_READ, PTE_WRITE, pteFlags, ptePfn } from "../../src/mmu/pte.ts";
import { TablePool } from "../../src/mmu/table-pool.ts";

/** What a test does to the table; places and lengths are in pages, scaled to what they are for. */
type Step =
  | { readonly kind: "map"; readonly at: number; readonly pfn: number; readonly flags: number }
  | { readonly kind: "fill"; readonly at: number; readonly count: number; readonly pfn: number }
  | { readonly kind: "clear"; readonly at: number; readonly count: number }
  | { readonly kind: "large"; readonly at: number; readonly level: number; readonly pfn: number }
  | { readonly kind: "unmap"; readonly at: number }
  | { readonly kind: "prune"; readonly at: number; readonly count: number };

const flags = fc.constantFrom(PTE_PRESENT, PTE_PRESENT | PTE_READ, PTE_PRESENT | PTE_READ | PTE_WRITE);

function stepsFor(geometry: Geometry): fc.Arbitrary<Step[]> {
  const levels = geometry.bitsPerLevel.length;
  const pages = pagesPerEntry(geometry, levels);
  const pfns = 2 ** Math.min(40, geometry.physicalBits - geometry.pageShift);
  const leaf = 2 ** (geometry.bitsPerLevel[0] as number);
  // A few crowded spots of the address space, the top one included.
  const spots = [0, leaf, pages / 2, pages - leaf].map((base) =>
    fc.nat({ max: leaf - 1 }).map((n) => base + n),
  );
  const at = fc.oneof(...spots);
  const pfn = fc
    .oneof(
      fc.nat({ max: 1000 }),
      fc.nat({ max: 1000 }).map((n) => pfns - leaf * leaf - n - 1),
    )
    .map((n) => Math.max(n, 0));
  const count = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: leaf }));
  const large = geometry.leafLevels.filter((level) => level > 0);
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("map" as const), at, pfn, flags }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("fill" as const), at, count, pfn }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("clear" as const), at, count }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("unmap" as const), at }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("prune" as const), at, count }) },
      ...(large.length === 0
        ? []
        : [
            {
              weight: 1,
              arbitrary: fc.record({
                kind: fc.constant("large" as const),
                at,
                level: fc.constantFrom(...large),
                pfn,
              }),
            },
          ]),
    ),
    { maxLength: 40, size: "max" },
  );
}

/** The table under test beside a plain map from page to frame and flags; large leaves are a list. */
class Pair {
  readonly pool: TablePool;
  readonly table: PageTable;
  readonly pages = new Map<number, { pfn: number; flags: number }>();
  large: { start: number; end: number; pfn: number }[] = [];
  readonly #geometry: Geometry;

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    this.pool = new TablePool(geometry);
    this.table = new PageTable(geometry, this.pool);
  }

  expected(vpn: number): { pfn: number; flags: number } | undefined {
    const leaf = this.large.find(({ start, end }) => start <= vpn && vpn < end);
    return leaf === undefined
      ? this.pages.get(vpn)
      : { pfn: leaf.pfn + vpn - leaf.start, flags: PTE_PRESENT | PTE_READ };
  }

  run(step: Step): void {
    const { table, pool } = this;
    const leafEnd = table.endOfLeafTable(step.at);
    switch (step.kind) {
      case "map": {
        this.#splitAround(step.at, step.at + 1);
        pool.write(table.ensure(step.at, 0), makePte(step.pfn, step.flags));
        this.pages.set(step.at, { pfn: step.pfn, flags: step.flags });
        return;
      }
      case "fill": {
        const count = Math.min(step.count, leafEnd - step.at);
        this.#splitAround(step.at, step.at + count);
        const slot = table.ensure(step.at, 0);
        const vpns = Array.from({ length: count }, (_, index) => step.at + index);
        const isEmpty = vpns.every((vpn) => !this.pages.has(vpn));
        expect(table.isEmpty(slot, count)).toBe(isEmpty);
        if (!isEmpty) return;
        table.fill(slot, count, step.pfn, PTE_PRESENT);
        vpns.forEach((vpn, index) => {
          this.pages.set(vpn, { pfn: step.pfn + index, flags: PTE_PRESENT });
        });
        return;
      }
      case "clear": {
        const count = Math.min(step.count, leafEnd - step.at);
        this.#splitAround(step.at, step.at + count);
        const slot = table.find(step.at);
        if (slot < 0) return;
        let had = 0;
        for (let vpn = step.at; vpn < step.at + count; vpn++) if (this.pages.delete(vpn)) had++;
        expect(table.clear(slot, count)).toBe(had);
        return;
      }
      case "unmap": {
        this.#splitAround(step.at, step.at + 1);
        const slot = table.find(step.at);
        if (slot >= 0) pool.write(slot, 0);
        this.pages.delete(step.at);
        return;
      }
      case "large":
        this.#mapLarge(step.at, step.level, step.pfn);
        return;
      case "prune":
        table.freeEmptyTables(step.at, step.at + step.count);
    }
  }

  #mapLarge(at: number, level: number, pfn: number): void {
    const span = this.table.pagesAt(level);
    const start = Math.floor(at / span) * span;
    const overlapsLarge = this.large.some((leaf) => leaf.start < start + span && start < leaf.end);
    const overlapsPages = [...this.pages.keys()].some((vpn) => start <= vpn && vpn < start + span);
    if (overlapsLarge || overlapsPages) return;
    this.table.freeEmptyTables(start, start + span);
    const aligned = Math.floor(pfn / span) * span;
    const slot = this.table.ensure(start, level);
    this.pool.write(slot, makePte(aligned, PTE_PRESENT | PTE_READ | PTE_LARGE));
    this.large.push({ start, end: start + span, pfn: aligned });
  }

  /** Splits until no large leaf touches `[from, to)`; what was split off stays large or becomes pages. */
  #splitAround(from: number, to: number): void {
    for (let vpn = from; vpn < to; ) {
      const slot = this.table.find(vpn);
      const { level } = this.table;
      if (slot < 0 || level === 0) {
        vpn = slot < 0 ? this.table.endOfEntry(vpn, level) : this.table.endOfLeafTable(vpn);
        continue;
      }
      const leaf = this.large.find(({ start, end }) => start <= vpn && vpn < end);
      if (leaf === undefined) throw new Error("the table has a large leaf that the model does not know");
      this.large = this.large.filter((other) => other !== leaf);
      const step = pagesPerEntry(this.#geometry, level - 1);
      for (let start = leaf.start; start < leaf.end; start += step) {
        const pfn = leaf.pfn + start - leaf.start;
        if (step === 1) this.pages.set(start, { pfn, flags: PTE_PRESENT | PTE_READ });
        else this.large.push({ start, end: start + step, pfn });
      }
      expect(this.table.splitLarge(slot, level)).toBe(true);
    }
  }

  check(around: readonly number[]): void {
    for (const vpn of new Set([...around, ...[...this.pages.keys()].slice(-64)])) {
      const entry = this.table.entryOf(vpn);
      const found = entry === 0 ? undefined : { pfn: ptePfn(entry), flags: pteFlags(entry) & ~PTE_LARGE };
      expect(found).toEqual(this.expected(vpn));
    }
  }
}

describe.each(Object.values(geometries))("a page table of $name", (geometry) => {
  const limit = pagesPerEntry(geometry, geometry.bitsPerLevel.length);

  test("is a map from page to frame, whatever is done to it", () => {
    fc.assert(
      fc.property(stepsFor(geometry), (steps) => {
        const pair = new Pair(geometry);
        for (const step of steps) {
          pair.run(step);
          pair.check([step.at, step.at + 1, step.at - 1].filter((vpn) => vpn >= 0 && vpn < limit));
        }
        for (const { start } of pair.large) {
          const slot = pair.table.find(start);
          pair.pool.write(slot, 0);
        }
        for (const vpn of pair.pages.keys()) pair.pool.write(pair.table.find(vpn), 0);
        pair.table.freeEmptyTables(0, limit);
        pair.table.destroy();
        expect(pair.pool.tablesInUse).toBe(0);
      }),
      { numRuns: runsOf(60) },
    );
  });
});
