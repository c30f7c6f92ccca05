import { FreeBlockMap } from "./free-block-map.ts";

/** log2 of the frames in the largest block (`MAX_ORDER - 1` in 6.1). */
export const LARGEST_ORDER = 10;

/** Single frames kept at hand before they are merged again, as on Linux's per-CPU lists. */
const HOT_FRAMES = 64;

/** log2 of the most frames that are put at hand at once (`pcp->batch`). */
const REFILL_ORDER = 3;

/**
 * The buddy allocator (mm/page_alloc.c): hands out blocks of `2^order` frames out of `[start, end)`, each aligned to
 * its size, and merges freed blocks with their buddies.
 *
 * Deterministic: a single frame that was freed a moment ago goes first, the latest before all others (Linux's
 * per-CPU lists); otherwise the lowest block among the smallest that are large enough is split. Knows frame numbers
 * only, so that one instance can serve RAM without struct page. It allocates no memory after construction.
 */
export class BuddyAllocator {
  /** Frames that are free, hot ones included. */
  freeFrames: number;
  /**
   * Told of each block that is handed out or taken back, with its first frame, and of each request that could not be
   * served, with -1: which frame comes next depends on all of them.
   */
  onChange: ((pfn: number, order: number) => void) | undefined = undefined;
  readonly #start: number;
  readonly #end: number;
  readonly #blocks: FreeBlockMap;
  /** A bit a frame: handed out. */
  readonly #used: Int32Array;
  readonly #hot = new Int32Array(HOT_FRAMES);
  #hotCount = 0;
  /** Aligned below `start`: the frame that bit 0 of every bit set stands for. */
  readonly #base: number;

  /** Serves the frames `[start, end)`. */
  constructor(start: number, end: number) {
    this.#start = start;
    this.#end = end;
    this.#base = (start >>> LARGEST_ORDER) << LARGEST_ORDER;
    this.#blocks = new FreeBlockMap(end - this.#base, LARGEST_ORDER);
    this.#used = new Int32Array((end - this.#base + 31) >>> 5);
    this.freeFrames = end - start;
    this.#fill();
    this.#blocks.remember();
  }

  /** The first frame of a free block of `2^order` frames, which is the caller's from now on; -1 when there is none. */
  allocate(order: number): number {
    let pfn: number;
    if (order === 0) {
      if (this.#hotCount === 0) this.#refill();
      if (this.#hotCount === 0) return this.#refuse(order);
      pfn = this.#hot[--this.#hotCount];
    } else {
      pfn = this.#takeBlock(order);
      if (pfn < 0) return this.#refuse(order);
    }
    this.onChange?.(pfn, order);
    this.#mark(pfn - this.#base, order, -1);
    this.freeFrames -= 1 << order;
    return pfn;
  }

  /**
   * Takes back the block `[pfn, pfn + 2^order)`, which may be a part of one that was handed out, or several. Answers
   * false, with nothing changed, when some of it is free already, is not this allocator's, or is not aligned.
   */
  free(pfn: number, order: number): boolean {
    if (!this.isUsed(pfn, order)) return false;
    this.onChange?.(pfn, order);
    this.#mark(pfn - this.#base, order, 0);
    this.freeFrames += 1 << order;
    if (order > 0) this.#blocks.give(pfn - this.#base, order);
    else {
      if (this.#hotCount === HOT_FRAMES) this.#coolDown(HOT_FRAMES / 2);
      this.#hot[this.#hotCount++] = pfn;
    }
    return true;
  }

  /** Whether `[pfn, pfn + 2^order)` is aligned to its size and every frame of it is handed out. */
  isUsed(pfn: number, order: number): boolean {
    const frames = 1 << order;
    if (!(pfn >= this.#start && pfn + frames <= this.#end && order <= LARGEST_ORDER)) return false;
    const first = pfn - this.#base;
    if ((first & (frames - 1)) !== 0) return false;
    if (order < 5) {
      const bits = ((1 << frames) - 1) << (first & 31);
      return (this.#used[first >>> 5] & bits) === bits;
    }
    for (let word = first >>> 5; word < (first + frames) >>> 5; word++)
      if (this.#used[word] !== -1) return false;
    return true;
  }

  /** Merges the frames kept at hand (`drain_all_pages`), after which `freeBlocks` shows how whole free memory is. */
  drain(): void {
    this.#coolDown(this.#hotCount);
  }

  /** Free blocks of exactly `2^order` frames, those kept at hand left out (`/proc/buddyinfo`). */
  freeBlocks(order: number): number {
    return this.#blocks.count(order);
  }

  /** Whether it is one for the frames `[start, end)`. */
  serves(start: number, end: number): boolean {
    return this.#start === start && this.#end === end;
  }

  /** Back to how it was built. */
  reset(): void {
    this.#hotCount = 0;
    this.#used.fill(0);
    this.#blocks.restore();
    this.freeFrames = this.#end - this.#start;
  }

  #takeBlock(order: number): number {
    if (order > LARGEST_ORDER) return -1;
    let block = this.#blocks.take(order);
    if (block < 0 && this.#hotCount > 0) {
      this.drain();
      block = this.#blocks.take(order);
    }
    return block < 0 ? -1 : this.#base + block;
  }

  /** Keeps one block at hand, of a few frames: the lowest comes out first. */
  #refill(): void {
    const order = this.#blocks.smallest(REFILL_ORDER);
    if (order < 0) return;
    const first = this.#base + this.#blocks.take(order);
    for (let at = (1 << order) - 1; at >= 0; at--) this.#hot[this.#hotCount++] = first + at;
  }

  /** Merges the `count` frames that were freed longest ago. */
  #coolDown(count: number): void {
    for (let at = 0; at < count; at++) this.#blocks.give(this.#hot[at] - this.#base, 0);
    this.#hot.copyWithin(0, count, this.#hotCount);
    this.#hotCount -= count;
  }

  /** Writes the used bits of a block: all ones for -1, all zeros for 0. */
  #mark(first: number, order: number, value: -1 | 0): void {
    if (order < 5) {
      const bits = ((1 << (1 << order)) - 1) << (first & 31);
      const word = this.#used[first >>> 5];
      this.#used[first >>> 5] = (word & ~bits) | (value & bits);
    } else this.#used.fill(value, first >>> 5, (first + (1 << order)) >>> 5);
  }

  #refuse(order: number): number {
    this.onChange?.(-1, order);
    return -1;
  }

  #fill(): void {
    for (let at = this.#start; at < this.#end; ) {
      let order = at === 0 ? LARGEST_ORDER : Math.min(LARGEST_ORDER, 31 - Math.clz32(at & -at));
      while (at + (1 << order) > this.#end) order--;
      this.#blocks.give(at - this.#base, order);
      at += 1 << order;
    }
  }
}
