import type { Page, Pfn } from "../contract/units.ts";
import type { Geometry } from "../mmu/geometry.ts";
import { OwnerTable, type OwnerTag, owners } from "./owners.ts";
import {
  FLAGS_KEPT_WHEN_FREE,
  PG_bare,
  PG_dirty,
  PG_head,
  PG_hwpoison,
  PG_initialised,
  PG_reserved,
  PG_tail,
  PG_touched,
  PG_zeroed,
} from "./page-flags.ts";

/** The most RAM a machine may have, in bytes, so that every byte offset fits an int32. */
export const MOST_RAM_BYTES = 2 ** 31 - 1;

/**
 * What a machine remembers of each frame of RAM (`struct page`, include/linux/mm_types.h), and the frame's contents.
 *
 * A struct of arrays: a field of frame `pfn` stands at index `pfn`. The contents are one buffer that the operating
 * system commits as it is touched: the bytes of frame `pfn` are `[pfn * pageSize, (pfn + 1) * pageSize)`. Frames
 * that were ever in use are listed, so that `reset` visits only those.
 *
 * The rules of counting are `Frames`'. Plain data: whoever touches what CPUs share announces the point first.
 */
export class FrameStore {
  readonly pageSize: number;
  /** Frames with a struct page: pfns `[0, count)`. */
  readonly count: number;
  /** All frames of RAM: those without struct page have the pfns `[count, total)`. */
  readonly total: number;

  /** References (`_refcount`), on the head of a compound page; changed by `get` and `put`. */
  readonly refcount: Int32Array;
  /** Page-table entries of user space that map the page and are counted (`_mapcount` + 1); each page has its own. */
  readonly mapcount: Int32Array;
  /** Pins for DMA (`FOLL_PIN`), on the head of a compound page; each holds a reference too. */
  readonly pincount: Int32Array;
  /** The `PG_` bits; frames without struct page have only those that the sanitizers need. */
  readonly flags: Uint32Array;
  /** Who allocated the frame, an `OwnerTag`; `owners.free` while it is free. */
  readonly owner: Uint16Array;
  /** How often the frame was freed: tells a stale translation from one made for the frame's next owner. */
  readonly generation: Uint32Array;
  readonly ownerTable = new OwnerTable();
  /** Told of each frame that is handed out or freed; undefined where nobody asks. */
  onChange: ((pfn: Pfn, to: "owner" | "nobody") => void) | undefined = undefined;

  readonly bytes: Uint8Array;
  /** The contents in units of 4 bytes. */
  readonly words: Int32Array;
  readonly view: DataView;

  /** The first page's pfn, in all other pages of a compound page or a bare block; 0 elsewhere. */
  protected readonly head: Int32Array;
  /** log2 of the frames of a compound page or a bare block, at its first page; 0 elsewhere. */
  protected readonly order: Uint8Array;
  /** Bytes at the start that were written since the frame was allocated, without a gap. */
  readonly #initialised: Int32Array;
  readonly #touched: Int32Array;
  #touchedCount = 0;

  /**
   * @param scrapped RAM that nobody uses any more: where it is of the same size, its memory is cleared and taken over
   * @throws RangeError when RAM would be larger than 2^31-1 bytes, or would have no frame to hand out
   */
  constructor(geometry: Geometry, count: number, pageless: number, scrapped?: FrameStore) {
    const { pageSize } = geometry;
    const total = count + pageless;
    if (!Number.isInteger(count) || count < 2 || !Number.isInteger(pageless) || pageless < 0) {
      throw new RangeError(
        `RAM needs 2 frames with struct page or more, not ${count} (and ${pageless} without)`,
      );
    }
    if (total * pageSize > MOST_RAM_BYTES) {
      const most = Math.floor(MOST_RAM_BYTES / pageSize);
      throw new RangeError(
        `${total} frames of ${pageSize} bytes are above 2^31-1 bytes of RAM: ${most} at most`,
      );
    }
    this.pageSize = pageSize;
    this.count = count;
    this.total = total;

    if (scrapped?.pageSize === pageSize && scrapped.count === count && scrapped.total === total) {
      scrapped.reset();
      this.refcount = scrapped.refcount;
      this.mapcount = scrapped.mapcount;
      this.pincount = scrapped.pincount;
      this.head = scrapped.head;
      this.flags = scrapped.flags;
      this.generation = scrapped.generation;
      this.#initialised = scrapped.#initialised;
      this.#touched = scrapped.#touched;
      this.owner = scrapped.owner;
      this.order = scrapped.order;
      this.bytes = scrapped.bytes;
      this.words = scrapped.words;
      this.view = scrapped.view;
      return;
    }
    // One buffer for all fields: a small machine is built thousands of times a second.
    const fields = new ArrayBuffer(16 * count + 18 * total + count);
    let at = 0;
    const take = (bytes: number): number => {
      at += bytes;
      return at - bytes;
    };
    this.refcount = new Int32Array(fields, take(4 * count), count);
    this.mapcount = new Int32Array(fields, take(4 * count), count);
    this.pincount = new Int32Array(fields, take(4 * count), count);
    this.head = new Int32Array(fields, take(4 * count), count);
    this.flags = new Uint32Array(fields, take(4 * total), total);
    this.generation = new Uint32Array(fields, take(4 * total), total);
    this.#initialised = new Int32Array(fields, take(4 * total), total);
    this.#touched = new Int32Array(fields, take(4 * total), total);
    this.owner = new Uint16Array(fields, take(2 * total), total);
    this.order = new Uint8Array(fields, take(count), count);

    const contents = new ArrayBuffer(total * pageSize);
    this.bytes = new Uint8Array(contents);
    this.words = new Int32Array(contents);
    this.view = new DataView(contents);
    this.flags.fill(PG_zeroed);
    this.#reserveFrameZero();
  }

  /** The page whose counts stand for this one (`compound_head`, `page_folio`): itself unless it is a tail page. */
  headOf(page: Page): Page {
    return ((this.flags[page] & PG_tail) === 0 ? page : this.head[page]) as Page;
  }

  /** log2 of the frames in the page's block: of a compound page or the first page of a bare one, otherwise 0. */
  orderOf(page: Page): number {
    return this.order[this.headOf(page)];
  }

  /** The first page of the bare block in which `page` has no count of its own; undefined for every other page. */
  bareBlockOf(page: Page): Page | undefined {
    const first = this.head[page];
    const elsewhere = first === 0 || (this.flags[page] & PG_tail) !== 0;
    return elsewhere ? undefined : (first as Page);
  }

  /** Whether the frame is handed out; `owner` says to whom. */
  isAllocated(pfn: Pfn): boolean {
    return this.owner[pfn] > owners.free;
  }

  /** Whether any of the flag bits is set. */
  hasFlags(page: Page, bits: number): boolean {
    return (this.flags[page] & bits) !== 0;
  }

  /** Sets flag bits (`SetPageReserved` and the like). */
  setFlags(page: Page, bits: number): void {
    this.#touch(page);
    this.flags[page] |= bits;
  }

  /** Clears flag bits (`ClearPageReserved` and the like). */
  clearFlags(page: Page, bits: number): void {
    this.flags[page] &= ~bits;
  }

  /** Fills the frame with zeros (`clear_highpage`), at no cost when it is known to hold nothing else. */
  clear(pfn: Pfn): void {
    this.#touch(pfn);
    const flags = this.flags[pfn];
    if ((flags & PG_zeroed) === 0) this.bytes.fill(0, pfn * this.pageSize, (pfn + 1) * this.pageSize);
    this.flags[pfn] = flags | PG_zeroed | PG_initialised;
  }

  /** Copies a whole frame (`copy_highpage`); what was uninitialised in `from` is so in `to`. */
  copy(to: Pfn, from: Pfn): void {
    const { pageSize } = this;
    this.#touch(to);
    const source = this.flags[from];
    const before = this.flags[to];
    if ((source & before & PG_zeroed) === 0) {
      this.bytes.copyWithin(to * pageSize, from * pageSize, (from + 1) * pageSize);
    }
    const aboutContents = PG_zeroed | PG_initialised;
    this.flags[to] = (before & ~aboutContents) | (source & aboutContents);
    this.#initialised[to] = this.#initialised[from];
  }

  /**
   * The bytes `[offset, offset + bytes)` of the frame are being written. Whoever stores into `bytes`, `words` or `view`
   * says so at every store: a frame wrongly known to be zero would show old bytes to its next owner.
   */
  markWritten(pfn: Pfn, offset: number, bytes: number): void {
    this.#forgetZeroed(pfn);
    if ((this.flags[pfn] & PG_initialised) !== 0) return;
    const written = this.#initialised[pfn];
    const end = offset + bytes;
    if (offset > written || end <= written) return;
    this.#initialised[pfn] = end;
    if (end === this.pageSize) this.flags[pfn] |= PG_initialised;
  }

  /** Sets `PG_dirty` (`set_page_dirty`), as when an entry with its dirty bit set is zapped. */
  markDirty(page: Page): void {
    this.#forgetZeroed(page);
    this.flags[page] |= PG_dirty;
  }

  /**
   * Bytes at the start of the frame that were written or cleared since it was allocated, without a gap: the page
   * size when user space may see all of it. A write that leaves a gap before it is not credited.
   */
  initialisedBytes(pfn: Pfn): number {
    const whole = (this.flags[pfn] & PG_initialised) !== 0;
    return whole ? this.pageSize : this.#initialised[pfn];
  }

  /** Frames handed out, by the owner's name in alphabetical order, reserved ones left out. Linear in frames ever used. */
  inUseByOwner(): ReadonlyMap<string, number> {
    const counts = new Map<OwnerTag, number>();
    for (let at = 0; at < this.#touchedCount; at++) {
      const tag = this.owner[this.#touched[at]] as OwnerTag;
      if (tag > owners.reserved) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    }
    const named = [...counts].map(([tag, count]): [string, number] => [this.ownerTable.name(tag), count]);
    return new Map(named.sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** For the allocators: a frame goes to `owner`, with `references` references if it has a struct page to count them. */
  handOut(pfn: Pfn, owner: OwnerTag, references: number): void {
    const flags = this.flags[pfn];
    if ((flags & PG_touched) === 0) this.#touched[this.#touchedCount++] = pfn;
    this.flags[pfn] = (flags & FLAGS_KEPT_WHEN_FREE) | PG_touched;
    this.owner[pfn] = owner;
    this.#initialised[pfn] = 0;
    if (pfn < this.count) this.refcount[pfn] = references;
    this.onChange?.(pfn, "owner");
  }

  /** For the allocators: `[page, page + 2^order)`, just handed out, becomes one compound page or one bare block. */
  joinBlock(page: Page, order: number, kind: "compound" | "bare"): void {
    const compound = kind === "compound";
    this.flags[page] |= compound ? PG_head : PG_bare;
    this.order[page] = order;
    for (let at = page + 1, end = page + 2 ** order; at < end; at++) {
      if (compound) this.flags[at] |= PG_tail;
      this.head[at] = page;
    }
  }

  /** For the allocators: the first page of a bare block lives on as a single page, while the others are freed. */
  leaveBlock(page: Page): void {
    this.flags[page] &= ~PG_bare;
    this.order[page] = 0;
  }

  /** For the allocators: a frame is free again. False when its hardware is broken, so that it must not be reused. */
  takeBack(pfn: Pfn): boolean {
    const flags = this.flags[pfn];
    const broken = (flags & PG_hwpoison) !== 0;
    this.generation[pfn]++;
    this.onChange?.(pfn, "nobody");
    this.flags[pfn] = flags & (broken ? FLAGS_KEPT_WHEN_FREE | PG_hwpoison : FLAGS_KEPT_WHEN_FREE);
    this.owner[pfn] = broken ? owners.reserved : owners.free;
    if (pfn < this.count) {
      this.refcount[pfn] = 0;
      this.head[pfn] = 0;
      this.order[pfn] = 0;
    }
    return !broken;
  }

  /** Back to how it was built, the contents included. */
  reset(): void {
    for (let at = 0; at < this.#touchedCount; at++) {
      const pfn = this.#touched[at] as Pfn;
      this.clear(pfn);
      this.flags[pfn] = PG_zeroed;
      this.owner[pfn] = owners.free;
      this.generation[pfn] = 0;
      this.#initialised[pfn] = 0;
      if (pfn >= this.count) continue;
      this.refcount[pfn] = 0;
      this.mapcount[pfn] = 0;
      this.pincount[pfn] = 0;
      this.head[pfn] = 0;
      this.order[pfn] = 0;
    }
    this.#touchedCount = 0;
    this.#reserveFrameZero();
  }

  #forgetZeroed(pfn: Pfn): void {
    if ((this.flags[pfn] & PG_zeroed) === 0) return;
    this.#touch(pfn);
    this.flags[pfn] &= ~PG_zeroed;
  }

  #touch(pfn: number): void {
    if ((this.flags[pfn] & PG_touched) !== 0) return;
    this.flags[pfn] |= PG_touched;
    this.#touched[this.#touchedCount++] = pfn;
  }

  /** Frame 0 is never handed out, so that 0 can mean no frame; it has the one reference of every reserved page. */
  #reserveFrameZero(): void {
    this.flags[0] = PG_zeroed | PG_reserved;
    this.owner[0] = owners.reserved;
    this.refcount[0] = 1;
    this.mapcount[0] = 0;
    this.pincount[0] = 0;
  }
}
