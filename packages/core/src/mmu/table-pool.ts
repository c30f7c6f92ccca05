import type { Geometry } from "./geometry.ts";

/** Asked before each page-table page is taken; `false` makes the caller fail with ENOMEM (failure injection). */
export type MayAllocateTable = () => boolean;

const always: MayAllocateTable = () => true;

function widestOf({ bitsPerLevel }: Geometry): number {
  let widest = 0;
  for (const bits of bitsPerLevel) if (bits > widest) widest = bits;
  return widest;
}

/**
 * The memory of all page tables of a machine: fixed-size tables of entries in a few large typed arrays.
 *
 * An entry is named by its slot, `table * entriesPerTable + index`, an int32 that is unique in the machine; so a
 * slot also serves as the identity of an entry for the scheduler. Freed tables are empty and are handed out again.
 */
export class TablePool {
  /** log2 of the entries of a table; every level uses the width of the widest. */
  readonly entryBits: number;
  /** log2 of the entries of a chunk. */
  readonly chunkShift: number;
  readonly chunkMask: number;
  readonly chunks: Float64Array[];
  /** Entries in use, a table each. */
  live: Uint16Array;
  /** Page-table entries written since the machine was built: one for each entry that changed. */
  writes = 0;
  /** Tables in use, roots included. */
  tablesInUse = 0;
  mayAllocate: MayAllocateTable = always;

  readonly #tablesPerChunk: number;
  readonly #free: number[] = [];
  #next = 0;

  /** @param scrapped a pool that nobody uses any more: where its tables are of the same size, they are emptied and taken over */
  constructor(geometry: Geometry, scrapped?: TablePool) {
    this.entryBits = widestOf(geometry);
    // A chunk has 2^15 entries, and 8 tables at least.
    const tablesShift = Math.max(3, 15 - this.entryBits);
    this.#tablesPerChunk = 1 << tablesShift;
    this.chunkShift = this.entryBits + tablesShift;
    this.chunkMask = (1 << this.chunkShift) - 1;
    if (scrapped === undefined || scrapped.entryBits !== this.entryBits) {
      this.chunks = [];
      this.live = new Uint16Array(64);
    } else {
      scrapped.#empty();
      this.chunks = scrapped.chunks;
      this.live = scrapped.live;
    }
  }

  /** Takes an empty table; -1 when memory is refused. */
  allocate(): number {
    return this.mayAllocate() ? this.take() : -1;
  }

  /** Takes an empty table whose memory was asked for before. */
  take(): number {
    this.tablesInUse++;
    const recycled = this.#free.pop();
    if (recycled !== undefined) return recycled;
    const table = this.#next++;
    if (table >= this.chunks.length * this.#tablesPerChunk) {
      this.chunks.push(new Float64Array(2 ** this.chunkShift));
    }
    if (table >= this.live.length) {
      const larger = new Uint16Array(this.live.length * 2);
      larger.set(this.live);
      this.live = larger;
    }
    return table;
  }

  /** Gives back a table whose entries are all empty. */
  release(table: number): void {
    this.tablesInUse--;
    this.#free.push(table);
  }

  /** Empties every table that was ever taken. */
  #empty(): void {
    for (let table = 0; table < this.#next; table++) {
      if (this.live[table] === 0) continue;
      const chunk = this.chunks[table >>> (this.chunkShift - this.entryBits)] as Float64Array;
      const offset = (table << this.entryBits) & this.chunkMask;
      chunk.fill(0, offset, offset + (1 << this.entryBits));
      this.live[table] = 0;
    }
  }

  /** The entry in `slot`. */
  read(slot: number): number {
    return (this.chunks[slot >>> this.chunkShift] as Float64Array)[slot & this.chunkMask] as number;
  }

  /** Writes the entry in `slot`, and keeps the table's count of entries in use. */
  write(slot: number, entry: number): void {
    const chunk = this.chunks[slot >>> this.chunkShift] as Float64Array;
    const offset = slot & this.chunkMask;
    const before = chunk[offset] as number;
    chunk[offset] = entry;
    this.writes++;
    if (before === 0) {
      if (entry !== 0) this.live[slot >>> this.entryBits]++;
    } else if (entry === 0) {
      this.live[slot >>> this.entryBits]--;
    }
  }

  /** Sets flag bits of a present entry as the hardware does while it walks: no software write is counted. */
  setFlags(slot: number, bits: number): void {
    const chunk = this.chunks[slot >>> this.chunkShift] as Float64Array;
    const offset = slot & this.chunkMask;
    const entry = chunk[offset];
    const missing = bits & ~(entry & 4095);
    if (missing !== 0) chunk[offset] = entry + missing;
  }
}
