import type { Geometry } from "./geometry.ts";
import { pagesPerEntry } from "./geometry.ts";
import { makePte, PTE_LARGE, PTE_PFN_UNIT, PTE_PRESENT, type Pte, pteFlags, ptePfn } from "./pte.ts";
import type { TablePool } from "./table-pool.ts";

/** `ensure` could not get memory for a table: the caller answers ENOMEM or OOM. */
export const NO_TABLE_MEMORY = -1;
/** `ensure` met a large leaf above the level asked for, which the caller has to split first. */
const LARGE_LEAF_ABOVE = -2;

/** What all page tables of a geometry know of its levels; by level, each. */
interface Levels {
  readonly scale: Float64Array;
  readonly mask: Int32Array;
  readonly span: Float64Array;
}

const known = new Map<Geometry, Levels>();

/** Worked out once for each geometry: a page table is made for every process. */
function levelsOf(geometry: Geometry): Levels {
  let levels = known.get(geometry);
  if (levels === undefined) {
    const bits: readonly number[] = geometry.bitsPerLevel;
    const span = Float64Array.from(bits, (_, level) => pagesPerEntry(geometry, level));
    levels = {
      span,
      scale: span.map((pages) => 1 / pages),
      mask: Int32Array.from(bits, (bit) => 2 ** bit - 1),
    };
    known.set(geometry, levels);
  }
  return levels;
}

/**
 * The page table of one address space: a radix tree of the geometry's levels (`struct mm_struct`'s pgd).
 *
 * Plain data: who may write when is the caller's affair (the mm's page-table lock). Entries are named by slot, see
 * `TablePool`.
 */
export class PageTable {
  /** The level of the entry that the last `find` or `ensure` answered with. */
  level = 0;
  /** Tables kept ready, so that every large leaf can be taken apart without asking for memory; see `deposit`. */
  deposited = 0;
  readonly geometry: Geometry;
  readonly pool: TablePool;
  /** The topmost table. */
  readonly root: number;
  /** The leaf table that `find` met last, by its first vpn: faults tend to be neighbours. */
  #lastLeafStart = -1;
  #lastLeafSlot = 0;
  readonly #top: number;
  readonly #leafMask: number;
  /** By level: vpn times this, truncated, ends in the level's index. */
  readonly #scale: Float64Array;
  readonly #mask: Int32Array;
  /** By level: the pages that one entry maps. */
  readonly #span: Float64Array;

  /** A page table, or undefined when no memory is left for its root. */
  static tryCreate(geometry: Geometry, pool: TablePool): PageTable | undefined {
    const root = pool.allocate();
    return root < 0 ? undefined : new PageTable(geometry, pool, root);
  }

  /** @throws RangeError when no memory is left for the root. */
  constructor(geometry: Geometry, pool: TablePool, root: number = pool.allocate()) {
    this.geometry = geometry;
    this.pool = pool;
    const { scale, mask, span } = levelsOf(geometry);
    this.#top = mask.length - 1;
    this.#scale = scale;
    this.#mask = mask;
    this.#span = span;
    this.#leafMask = mask[0];
    this.root = root;
    if (this.root < 0) throw new RangeError("no memory for the root of a page table");
  }

  /** Pages that an entry of `level` maps. */
  pagesAt(level: number): number {
    return this.#span[level] as number;
  }

  /**
   * The slot of the entry that maps `vpn`, or would: a leaf of level 0, or a large leaf above it (see `level`).
   * -1 when a table on the way is missing (`pmd_none` and the like).
   */
  find(vpn: number): number {
    const inLeaf = vpn & this.#leafMask;
    if (vpn - inLeaf !== this.#lastLeafStart) return this.#descend(vpn);
    this.level = 0;
    return this.#lastLeafSlot | inLeaf;
  }

  /** `find` from the root on: apart from it, so that a fault next to the last one is compiled into its caller. */
  #descend(vpn: number): number {
    const inLeaf = vpn & this.#leafMask;
    const { chunks, chunkShift, chunkMask, entryBits } = this.pool;
    let table = this.root;
    for (let level = this.#top; level > 0; level--) {
      const slot = (table << entryBits) | ((vpn * this.#scale[level]) & this.#mask[level]);
      const entry = (chunks[slot >>> chunkShift] as Float64Array)[slot & chunkMask] as number;
      if (entry === 0) {
        this.level = level;
        return -1;
      }
      if ((entry & PTE_LARGE) !== 0) {
        this.level = level;
        return slot;
      }
      table = (entry / PTE_PFN_UNIT) | 0;
    }
    this.level = 0;
    this.#lastLeafStart = vpn - inLeaf;
    this.#lastLeafSlot = table << entryBits;
    return this.#lastLeafSlot | inLeaf;
  }

  /** The slot for an entry of `level` that maps `vpn`, with all tables above it made; or one of the two errors. */
  ensure(vpn: number, level: number): number {
    const { pool } = this;
    const inLeaf = vpn & this.#leafMask;
    if (level === 0 && vpn - inLeaf === this.#lastLeafStart) {
      this.level = 0;
      return this.#lastLeafSlot | inLeaf;
    }
    let table = this.root;
    for (let at = this.#top; at > level; at--) {
      const slot = (table << pool.entryBits) | ((vpn * this.#scale[at]) & this.#mask[at]);
      const entry = pool.read(slot);
      if (entry === 0) {
        table = pool.allocate();
        if (table < 0) return NO_TABLE_MEMORY;
        pool.write(slot, table * PTE_PFN_UNIT + PTE_PRESENT);
      } else if ((entry & PTE_LARGE) !== 0) {
        return LARGE_LEAF_ABOVE;
      } else {
        table = (entry / PTE_PFN_UNIT) | 0;
      }
    }
    this.level = level;
    return (table << pool.entryBits) | ((vpn * this.#scale[level]) & this.#mask[level]);
  }

  /** Whether the entry in `slot` of `level` leads to a table below instead of mapping memory. */
  leadsToTable(slot: number, level: number): boolean {
    if (level === 0) return false;
    const entry = this.pool.read(slot);
    return entry !== 0 && (entry & PTE_LARGE) === 0;
  }

  /**
   * The entry that maps `vpn` as if all entries were of level 0: inside a large leaf, the frame of that very page.
   * 0 when there is none.
   */
  entryOf(vpn: number): Pte {
    const slot = this.find(vpn);
    if (slot < 0) return 0;
    const entry = this.pool.read(slot);
    if (entry === 0 || this.level === 0) return entry;
    const inside = vpn % this.#span[this.level];
    return entry + inside * PTE_PFN_UNIT;
  }

  /** The first virtual page number at or after `vpn` where the entry of `level` that maps `vpn` ends. */
  endOfEntry(vpn: number, level: number): number {
    const span = this.#span[level] as number;
    return Math.floor(vpn / span) * span + span;
  }

  /** Where the leaf table that `vpn` belongs to ends: the reach of one page-table-lock section. */
  endOfLeafTable(vpn: number): number {
    return this.#top === 0 ? Number.MAX_SAFE_INTEGER : this.endOfEntry(vpn, 1);
  }

  /**
   * Fills `count` entries of level 0 from `slot` on with consecutive frames; all were empty and lie in one table.
   */
  fill(slot: number, count: number, pfn: number, flags: number): void {
    const { pool } = this;
    const chunk = pool.chunks[slot >>> pool.chunkShift] as Float64Array;
    let offset = slot & pool.chunkMask;
    const end = offset + count;
    let entry = makePte(pfn, flags);
    // Four sums side by side, as each addition would otherwise wait for the one before.
    let second = entry + PTE_PFN_UNIT;
    let third = second + PTE_PFN_UNIT;
    let fourth = third + PTE_PFN_UNIT;
    for (; offset + 3 < end; offset += 4) {
      chunk[offset] = entry;
      chunk[offset + 1] = second;
      chunk[offset + 2] = third;
      chunk[offset + 3] = fourth;
      entry += 4 * PTE_PFN_UNIT;
      second += 4 * PTE_PFN_UNIT;
      third += 4 * PTE_PFN_UNIT;
      fourth += 4 * PTE_PFN_UNIT;
    }
    for (; offset < end; offset++, entry += PTE_PFN_UNIT) chunk[offset] = entry;
    pool.live[slot >>> pool.entryBits] += count;
    pool.writes += count;
  }

  /** Whether `count` entries of level 0 from `slot` on, in one table, are all empty. */
  isEmpty(slot: number, count: number): boolean {
    const { pool } = this;
    if (pool.live[slot >>> pool.entryBits] === 0) return true;
    const chunk = pool.chunks[slot >>> pool.chunkShift] as Float64Array;
    const offset = slot & pool.chunkMask;
    for (let at = offset; at < offset + count; at++) if (chunk[at] !== 0) return false;
    return true;
  }

  /** Empties `count` entries of level 0 from `slot` on, in one table; answers how many had been in use. */
  clear(slot: number, count: number): number {
    const { pool } = this;
    const chunk = pool.chunks[slot >>> pool.chunkShift] as Float64Array;
    const table = slot >>> pool.entryBits;
    const offset = slot & pool.chunkMask;
    const live = pool.live[table];
    if (live === 0) return 0;
    let cleared = 0;
    if (live === count && count > this.#leafMask) cleared = count;
    else for (let at = offset; at < offset + count; at++) if (chunk[at] !== 0) cleared++;
    if (cleared === 0) return 0;
    chunk.fill(0, offset, offset + count);
    pool.live[table] -= cleared;
    pool.writes += cleared;
    return cleared;
  }

  /**
   * Keeps tables ready for a large leaf of `level` that is about to be written (`pgtable_trans_huge_deposit`): as many
   * as taking it apart into single pages can need. False, with nothing kept, when memory is refused.
   */
  deposit(level: number): boolean {
    if (!this.pool.mayAllocate()) return false;
    this.deposited += this.tablesBelow(level);
    return true;
  }

  /** Gives back what is kept for a large leaf of `level` that was cleared whole (`pgtable_trans_huge_withdraw`). */
  withdraw(level: number): void {
    this.deposited -= this.tablesBelow(level);
  }

  /** The tables that the pages of one large leaf of `level` need when each has an entry of its own. */
  tablesBelow(level: number): number {
    let tables = 0;
    for (let below = 0; below < level; below++) tables = 1 + (this.#mask[below] + 1) * tables;
    return tables;
  }

  /**
   * Replaces the large leaf in `slot` of `level` by a table of leaves one level below with the same frames and
   * flags (`split_huge_pmd`). The table is one of those deposited; where none was, it is asked for: false, with nothing
   * changed, when no memory is left for it.
   */
  splitLarge(slot: number, level: number): boolean {
    const { pool } = this;
    const entry = pool.read(slot);
    const table = this.deposited > 0 ? pool.take() : pool.allocate();
    if (table < 0) return false;
    if (this.deposited > 0) this.deposited--;
    const below = level - 1;
    const step = this.#span[below] as number;
    const flags = below === 0 ? pteFlags(entry) & ~PTE_LARGE : pteFlags(entry);
    const count = this.#mask[below] + 1;
    let pfn: number = ptePfn(entry);
    for (let index = 0; index < count; index++, pfn += step) {
      pool.write((table << pool.entryBits) | index, makePte(pfn, flags));
    }
    pool.write(slot, table * PTE_PFN_UNIT + PTE_PRESENT);
    return true;
  }

  /**
   * Frees every table that lies in `[start, end)` of the vpns and maps nothing any more (`free_pgtables`); tables
   * that also serve pages outside stay while those are mapped.
   */
  freeEmptyTables(start: number, end: number): void {
    this.#lastLeafStart = -1;
    this.#prune(this.root, this.#top, 0, start, end);
  }

  /** Gives back the root; every other table must be gone (`pgd_free`). */
  destroy(): void {
    this.#lastLeafStart = -1;
    this.pool.release(this.root);
  }

  #prune(table: number, level: number, base: number, start: number, end: number): void {
    if (level === 0) return;
    const { pool } = this;
    const span = this.#span[level] as number;
    const first = Math.max(0, Math.floor((start - base) / span));
    const last = Math.min(this.#mask[level] as number, Math.ceil((end - base) / span) - 1);
    for (let index = first; index <= last && pool.live[table] !== 0; index++) {
      const slot = (table << pool.entryBits) | index;
      const entry = pool.read(slot);
      if (entry === 0 || (entry & PTE_LARGE) !== 0) continue;
      const child = (entry / PTE_PFN_UNIT) | 0;
      this.#prune(child, level - 1, base + index * span, start, end);
      if (pool.live[child] === 0) {
        pool.write(slot, 0);
        pool.release(child);
      }
    }
  }
}
