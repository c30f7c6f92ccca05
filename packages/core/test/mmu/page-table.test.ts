import { describe, expect, test } from "vitest";
import {
  alpha,
  arm64_64k,
  type Geometry,
  geometries,
  i386,
  pagesPerEntry,
  x86_64,
} from "../../src/mmu/geometry.ts";
import { NO_TABLE_MEMORY, PageTable } from "../../src/mmu/page-table.ts";
import {
  changeFlags,
  makePte,
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_LARGE,
  PTE_PRESENT,
  PTE_READ,
  PTE_SPECIAL,
  PTE_WRITE,
  pteFlags,
  ptePfn,
} from "../../src/mmu/pte.ts";
import { TablePool } from "../../src/mmu/table-pool.ts";

const every = Object.values(geometries);
const FLAGS = PTE_PRESENT | PTE_READ | PTE_WRITE;

function newTable(geometry: Geometry) {
  const pool = new TablePool(geometry);
  return { pool, table: new PageTable(geometry, pool) };
}

function levelsOf(geometry: Geometry): number {
  return geometry.bitsPerLevel.length;
}

/** One past the last virtual page that the table can name. */
function vpnLimit(geometry: Geometry): number {
  return pagesPerEntry(geometry, levelsOf(geometry));
}

function pfnLimit(geometry: Geometry): number {
  return 2 ** Math.min(40, geometry.physicalBits - geometry.pageShift);
}

describe("an entry", () => {
  test.each(every)(
    "of $name holds every frame number that the geometry can name, and every flag",
    (geometry) => {
      const last = pfnLimit(geometry) - 1;
      for (const pfn of [0, 1, 2 ** 20, last]) {
        const entry = makePte(pfn, 0xfff);
        expect(ptePfn(entry)).toBe(pfn);
        expect(pteFlags(entry)).toBe(0xfff);
        expect(Number.isSafeInteger(entry)).toBe(true);
      }
    },
  );

  test("keeps its frame when flags change", () => {
    const entry = makePte(2 ** 40 - 1, FLAGS);
    const changed = changeFlags(entry, PTE_WRITE, PTE_DIRTY | PTE_ACCESSED);
    expect(ptePfn(changed)).toBe(2 ** 40 - 1);
    expect(pteFlags(changed)).toBe(PTE_PRESENT | PTE_READ | PTE_DIRTY | PTE_ACCESSED);
  });
});

describe.each(every)("a page table of $name", (geometry) => {
  const limit = vpnLimit(geometry);
  const places = [0, 1, 2 ** (geometry.bitsPerLevel[0] as number) - 1, limit / 2, limit - 1];

  test("has no entry anywhere when it is new", () => {
    const { table } = newTable(geometry);
    for (const vpn of places) {
      expect(table.find(vpn)).toBe(-1);
      expect(table.level).toBe(levelsOf(geometry) - 1);
      expect(table.entryOf(vpn)).toBe(0);
    }
  });

  test("reaches every user address", () => {
    expect(geometry.userEnd / geometry.pageSize).toBeLessThanOrEqual(limit);
  });

  test("finds what was written at the lowest and the highest page", () => {
    const { pool, table } = newTable(geometry);
    places.forEach((vpn, index) => {
      pool.write(table.ensure(vpn, 0), makePte(pfnLimit(geometry) - 1 - index, FLAGS));
    });
    places.forEach((vpn, index) => {
      expect(table.entryOf(vpn)).toBe(makePte(pfnLimit(geometry) - 1 - index, FLAGS));
    });
  });

  test("takes one table a level for the first page, and none for its neighbour", () => {
    const { pool, table } = newTable(geometry);
    table.ensure(0, 0);
    expect(pool.tablesInUse).toBe(levelsOf(geometry));
    table.ensure(1, 0);
    expect(pool.tablesInUse).toBe(levelsOf(geometry));
    table.ensure(limit - 1, 0);
    expect(pool.tablesInUse).toBe(2 * levelsOf(geometry) - 1);
  });

  test("answers the same slot from ensure and find, at once and later", () => {
    const { table } = newTable(geometry);
    for (const vpn of places) table.ensure(vpn, 0);
    for (const vpn of places) {
      expect(table.find(vpn)).toBe(table.ensure(vpn, 0));
      expect(table.level).toBe(0);
    }
  });

  test("says so when memory is refused at any level, and works once it is given", () => {
    for (let refused = 0; refused < levelsOf(geometry) - 1; refused++) {
      const { pool, table } = newTable(geometry);
      let asked = 0;
      pool.mayAllocate = () => asked++ !== refused;
      expect(table.ensure(5, 0)).toBe(NO_TABLE_MEMORY);
      expect(table.entryOf(5)).toBe(0);
      expect(table.ensure(5, 0)).toBeGreaterThanOrEqual(0);
    }
  });

  test("gives back every table and no more than every table", () => {
    const { pool, table } = newTable(geometry);
    for (const vpn of places) pool.write(table.ensure(vpn, 0), makePte(7, FLAGS));
    table.freeEmptyTables(0, limit);
    for (const vpn of places) expect(table.entryOf(vpn)).toBe(makePte(7, FLAGS));
    for (const vpn of places) pool.write(table.find(vpn), 0);
    table.freeEmptyTables(0, limit);
    expect(pool.tablesInUse).toBe(1);
    table.destroy();
    expect(pool.tablesInUse).toBe(0);
  });

  test("does not find a freed table again", () => {
    const { pool, table } = newTable(geometry);
    pool.write(table.ensure(3, 0), makePte(7, FLAGS));
    expect(table.find(3)).toBeGreaterThanOrEqual(0);
    pool.write(table.find(3), 0);
    table.freeEmptyTables(0, 8);
    expect(table.find(3)).toBe(-1);
    const other = new PageTable(geometry, pool);
    pool.write(other.ensure(3, 0), makePte(9, FLAGS));
    expect(table.entryOf(3)).toBe(0);
    expect(table.ensure(3, 0)).not.toBe(other.find(3));
  });

  test("keeps an empty table whose neighbour in the range asked for is in use", () => {
    const { pool, table } = newTable(geometry);
    const leaf = 2 ** (geometry.bitsPerLevel[0] as number);
    pool.write(table.ensure(leaf - 1, 0), makePte(7, FLAGS));
    table.ensure(leaf, 0);
    table.freeEmptyTables(leaf - 1, leaf + 1);
    expect(table.entryOf(leaf - 1)).toBe(makePte(7, FLAGS));
    expect(table.find(leaf)).toBe(-1);
  });
});

describe("the entries of one leaf table", () => {
  function filled() {
    const { pool, table } = newTable(x86_64);
    const at = (vpn: number): number => table.ensure(vpn, 0);
    table.fill(at(100), 50, 2 ** 40 - 50, FLAGS);
    return { pool, table, at };
  }

  test("are filled with consecutive frames", () => {
    const { table, at } = filled();
    expect(table.isEmpty(at(100), 1)).toBe(false);
    expect(table.isEmpty(at(0), 100)).toBe(true);
    expect(ptePfn(table.entryOf(100))).toBe(2 ** 40 - 50);
    expect(ptePfn(table.entryOf(149))).toBe(2 ** 40 - 1);
    expect(table.entryOf(150)).toBe(0);
  });

  test("are each counted as one write when they are filled and when they are cleared", () => {
    const { pool, table, at } = filled();
    const before = pool.writes;
    table.fill(at(200), 10, 0, FLAGS);
    expect(pool.writes - before).toBe(10);
    table.clear(at(205), 20);
    expect(pool.writes - before).toBe(15);
  });

  test("are cleared where there are none without those elsewhere being counted", () => {
    const { table, at } = filled();
    expect(table.clear(at(200), 50)).toBe(0);
    table.freeEmptyTables(0, 512);
    expect(ptePfn(table.entryOf(100))).toBe(2 ** 40 - 50);
  });

  test("are cleared in part", () => {
    const { pool, table, at } = filled();
    expect(table.clear(at(90), 20)).toBe(10);
    expect(table.entryOf(109)).toBe(0);
    expect(ptePfn(table.entryOf(110))).toBe(2 ** 40 - 40);
    expect(table.clear(at(0), 512)).toBe(40);
    table.freeEmptyTables(0, 512);
    expect(pool.tablesInUse).toBe(1);
  });

  test("of a full table are cleared at once", () => {
    const { table, at } = filled();
    table.fill(at(512), 512, 0, FLAGS);
    expect(table.clear(at(512), 512)).toBe(512);
    expect(table.isEmpty(at(512), 512)).toBe(true);
    expect(table.clear(at(512), 512)).toBe(0);
  });
});

describe("a large leaf", () => {
  const cases = [
    { geometry: x86_64, level: 1 },
    { geometry: x86_64, level: 2 },
    { geometry: i386, level: 1 },
    { geometry: arm64_64k, level: 1 },
  ].map((one) => ({ ...one, name: one.geometry.name }));

  test.each(cases)("of level $level on $name maps each page to its own frame", ({ geometry, level }) => {
    const { pool, table } = newTable(geometry);
    const span = pagesPerEntry(geometry, level);
    const first = pfnLimit(geometry) - span;
    const slot = table.ensure(span, level);
    pool.write(slot, makePte(first, FLAGS | PTE_LARGE | PTE_SPECIAL));
    for (const inside of [0, 1, span / 2, span - 1]) {
      expect(table.find(span + inside)).toBe(slot);
      expect(table.level).toBe(level);
      expect(ptePfn(table.entryOf(span + inside))).toBe(first + inside);
    }
    expect(table.entryOf(span - 1)).toBe(0);
    expect(table.entryOf(2 * span)).toBe(0);
    expect(table.endOfEntry(span + 1, level)).toBe(2 * span);
  });

  test.each(cases)("of level $level on $name stands in the way of a smaller one", ({ geometry, level }) => {
    const { pool, table } = newTable(geometry);
    pool.write(table.ensure(0, level), makePte(0, FLAGS | PTE_LARGE));
    expect(table.ensure(1, 0)).toBeLessThan(0);
    expect(table.ensure(1, 0), "it is not for want of memory").not.toBe(NO_TABLE_MEMORY);
  });

  test.each(cases)(
    "of level $level on $name splits into the same frames and flags",
    ({ geometry, level }) => {
      const { pool, table } = newTable(geometry);
      const span = pagesPerEntry(geometry, level);
      const below = pagesPerEntry(geometry, level - 1);
      const first = pfnLimit(geometry) - span;
      const flags = FLAGS | PTE_SPECIAL | PTE_DIRTY;
      const slot = table.ensure(0, level);
      pool.write(slot, makePte(first, flags | PTE_LARGE));
      expect(table.splitLarge(slot, level)).toBe(true);
      expect(table.leadsToTable(slot, level)).toBe(true);
      for (let vpn = 0; vpn < span; vpn += below) {
        const entry = table.entryOf(vpn);
        expect(ptePfn(entry)).toBe(first + vpn);
        expect(pteFlags(entry)).toBe(level > 1 ? flags | PTE_LARGE : flags);
      }
      expect(ptePfn(table.entryOf(span - 1))).toBe(first + span - 1);
      expect(table.level).toBe(level - 1);
    },
  );

  test("is left alone when there is no memory to split it", () => {
    const { pool, table } = newTable(x86_64);
    const slot = table.ensure(0, 1);
    pool.write(slot, makePte(512, FLAGS | PTE_LARGE));
    pool.mayAllocate = () => false;
    expect(table.splitLarge(slot, 1)).toBe(false);
    expect(ptePfn(table.entryOf(511))).toBe(1023);
  });

  test("goes once it is cleared, with the tables above it", () => {
    const { pool, table } = newTable(x86_64);
    const span = pagesPerEntry(x86_64, 1);
    const slot = table.ensure(3 * span, 1);
    pool.write(slot, makePte(512, FLAGS | PTE_LARGE));
    table.freeEmptyTables(0, 2 ** 36);
    expect(ptePfn(table.entryOf(3 * span))).toBe(512);
    pool.write(slot, 0);
    table.freeEmptyTables(3 * span, 4 * span);
    expect(pool.tablesInUse).toBe(1);
  });

  test("does not exist on alpha", () => {
    expect(alpha.leafLevels).toEqual([0]);
  });
});

describe("where things end", () => {
  test("an entry ends at the next multiple of its span", () => {
    const { table } = newTable(x86_64);
    expect(table.endOfEntry(0, 0)).toBe(1);
    expect(table.endOfEntry(511, 1)).toBe(512);
    expect(table.endOfEntry(512, 1)).toBe(1024);
    expect(table.endOfEntry(2 ** 36 - 1, 3)).toBe(2 ** 36);
    expect(table.endOfLeafTable(700)).toBe(1024);
  });

  test("the spans of the levels are those of the architectures", () => {
    expect([0, 1, 2, 3].map((level) => newTable(x86_64).table.pagesAt(level))).toEqual([
      1,
      512,
      2 ** 18,
      2 ** 27,
    ]);
    expect(newTable(i386).table.pagesAt(1)).toBe(1024);
    expect([1, 2].map((level) => newTable(alpha).table.pagesAt(level))).toEqual([1024, 2 ** 20]);
    expect([1, 2].map((level) => newTable(arm64_64k).table.pagesAt(level))).toEqual([8192, 2 ** 26]);
  });
});

describe("the bits that hardware sets", () => {
  test("are set in a present entry and not counted as writes", () => {
    const { pool, table } = newTable(x86_64);
    const slot = table.ensure(9, 0);
    pool.write(slot, makePte(2 ** 39, FLAGS));
    const before = pool.writes;
    pool.setFlags(slot, PTE_ACCESSED);
    pool.setFlags(slot, PTE_ACCESSED | PTE_DIRTY);
    expect(pteFlags(pool.read(slot))).toBe(FLAGS | PTE_ACCESSED | PTE_DIRTY);
    expect(ptePfn(pool.read(slot))).toBe(2 ** 39);
    expect(pool.writes).toBe(before);
  });
});

describe("the pool of tables", () => {
  test("hands out many tables, and recycled ones empty", () => {
    const pool = new TablePool(x86_64);
    const tables = Array.from({ length: 300 }, () => pool.allocate());
    expect(new Set(tables).size).toBe(300);
    expect(pool.tablesInUse).toBe(300);
    for (const table of tables) {
      const slot = (table << pool.entryBits) | 511;
      pool.write(slot, makePte(table, FLAGS));
      expect(pool.live[table]).toBe(1);
      pool.write(slot, makePte(table, 0x5));
      expect(pool.live[table]).toBe(1);
      pool.write(slot, 0);
      expect(pool.live[table]).toBe(0);
      pool.release(table);
    }
    const again = pool.allocate();
    expect(tables).toContain(again);
    for (let index = 0; index < 512; index++) expect(pool.read((again << pool.entryBits) | index)).toBe(0);
  });
});
