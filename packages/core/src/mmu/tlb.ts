import type { Geometry } from "./geometry.ts";
import { PTE_READ, type Pte, ptePfn } from "./pte.ts";

const EMPTY = -1;

/** Address spaces that tags can tell apart: all but the one that stands for none. */
export const MOST_SPACES = 1023;

/** What tells an address space apart from the others that exist: the low ten bits of its id. */
export function spaceNumber(space: number): number {
  return space & 1023;
}

/**
 * What `readTag` adds to a page's base address, in the bits that are zero there: it tells address spaces apart, and is a
 * multiple of 4, so that comparing it with an address whose in-page word part is taken off also checks alignment.
 */
export function spaceTag(space: number): number {
  return spaceNumber(space) << 2;
}

/**
 * The translation look-aside buffer of one CPU: direct-mapped, one entry a page (a large leaf is cached page by
 * page). It holds translations of one address space at a time; changing the address space empties it.
 *
 * An entry stays until it is flushed, whatever becomes of the page table: a load through a stale entry reaches the
 * old frame, as on the real machine. Entries of readable RAM also stand in `readTag` with the frame's byte offset in
 * RAM, so that a hit is one compare and one access.
 */
export class Tlb {
  /** Entries; a power of two. */
  readonly size: number;
  /** Page base address by slot, for any entry; -1 when empty. */
  readonly tag: Float64Array;
  /** The cached page-table entry by slot. */
  readonly entry: Float64Array;
  /** Page base address plus `spaceTag` for entries of RAM that may be loaded from; -1 otherwise. */
  readonly readTag: Float64Array;
  /** Byte offset in RAM of the frame; -1 for entries of I/O memory. */
  readonly ramOffset: Int32Array;
  /** The address space whose translations these are: its id, or 0 for none. */
  space = 0;
  /** Flush operations done here, of whatever reach. */
  flushes = 0;

  readonly slotMask: number;
  readonly perPage: number;
  private readonly pageSize: number;
  private used = 0;

  /** @param scrapped a TLB that nobody uses any more, whose memory is emptied and taken over where it is of this size */
  constructor(geometry: Geometry, size = 256, scrapped?: Tlb) {
    this.size = size;
    this.slotMask = size - 1;
    this.pageSize = geometry.pageSize;
    this.perPage = 1 / geometry.pageSize;
    if (scrapped !== undefined && scrapped.size === size) {
      scrapped.empty();
      this.tag = scrapped.tag;
      this.entry = scrapped.entry;
      this.readTag = scrapped.readTag;
      this.ramOffset = scrapped.ramOffset;
      return;
    }
    this.tag = new Float64Array(size).fill(EMPTY);
    this.entry = new Float64Array(size);
    this.readTag = new Float64Array(size).fill(EMPTY);
    this.ramOffset = new Int32Array(size);
  }

  /** The slot that `pageBase` would be cached in. */
  slotOf(pageBase: number): number {
    return (pageBase * this.perPage) & this.slotMask;
  }

  /** The cached entry for a page base address; 0 on a miss. */
  lookup(pageBase: number): Pte {
    const slot = this.slotOf(pageBase);
    return this.tag[slot] === pageBase ? (this.entry[slot] as number) : 0;
  }

  /** Caches the entry of one page and answers with its slot; `ramPages` frames of RAM start at physical 0, the rest is I/O. */
  insert(pageBase: number, entry: Pte, ramPages: number): number {
    const slot = this.slotOf(pageBase);
    if (this.tag[slot] === EMPTY) this.used++;
    this.tag[slot] = pageBase;
    this.entry[slot] = entry;
    const pfn = ptePfn(entry);
    const isRam = pfn < ramPages;
    this.readTag[slot] = isRam && (entry & PTE_READ) !== 0 ? pageBase + spaceTag(this.space) : EMPTY;
    this.ramOffset[slot] = isRam ? pfn * this.pageSize : -1;
    return slot;
  }

  /** Makes the TLB serve another address space; everything cached for the last one is dropped. */
  switchTo(space: number): void {
    if (this.space === space) return;
    this.empty();
    this.space = space;
  }

  /** Drops the translations of `[start, end)`, in bytes (`flush_tlb_range`, on this CPU only). */
  flushRange(start: number, end: number): void {
    this.flushes++;
    if (this.used === 0) return;
    if ((end - start) * this.perPage >= this.size) {
      this.empty();
      return;
    }
    for (let base = start; base < end; base += this.pageSize) {
      const slot = this.slotOf(base);
      if (this.tag[slot] === base) this.drop(slot);
    }
  }

  /** Drops everything (`flush_tlb_mm`, on this CPU only). */
  flushAll(): void {
    this.flushes++;
    this.empty();
  }

  /** Page base addresses that are cached at present, ascending by slot. */
  *cached(): IterableIterator<{ readonly pageBase: number; readonly entry: Pte }> {
    for (let slot = 0; slot < this.size; slot++) {
      if (this.tag[slot] !== EMPTY) {
        yield { pageBase: this.tag[slot] as number, entry: this.entry[slot] as number };
      }
    }
  }

  private drop(slot: number): void {
    this.tag[slot] = EMPTY;
    this.readTag[slot] = EMPTY;
    this.used--;
  }

  private empty(): void {
    if (this.used === 0) return;
    this.tag.fill(EMPTY);
    this.readTag.fill(EMPTY);
    this.used = 0;
  }
}
