/** Levels of a bit set: enough for 2^20 blocks at 32 a word. */
const LEVELS = 4;

/**
 * The free blocks of a buddy allocator, by order: for each order a bit set with a summary bit for every word that
 * is not empty, and again for those, so that the lowest block is found in a few steps. Frames are counted from the
 * allocator's aligned base. All in one typed array, which makes copying the state one call.
 */
export class FreeBlockMap {
  readonly #largestOrder: number;
  readonly #words: Int32Array;
  readonly #pristine: Int32Array;
  /** By order and level: where that level's words begin. */
  readonly #offset: Int32Array;
  /** By order: the levels in use; the last is a single word. */
  readonly #depth: Uint8Array;
  /** A bit for each order that has a free block. */
  #orders = 0;
  #pristineOrders = 0;

  constructor(frames: number, largestOrder: number) {
    this.#largestOrder = largestOrder;
    this.#offset = new Int32Array((largestOrder + 1) * LEVELS);
    this.#depth = new Uint8Array(largestOrder + 1);
    let size = 0;
    for (let order = 0; order <= largestOrder; order++) {
      let words = Math.ceil(frames / 2 ** order);
      let level = 0;
      do {
        words = (words + 31) >>> 5;
        this.#offset[order * LEVELS + level++] = size;
        size += words;
      } while (words > 1);
      this.#depth[order] = level;
    }
    this.#words = new Int32Array(size);
    this.#pristine = new Int32Array(size);
  }

  /** The order of the smallest free block, but `most` when all are larger; -1 when there is none. */
  smallest(most: number): number {
    return this.#orders === 0 ? -1 : Math.min(most, lowestBit(this.#orders));
  }

  /** Takes the lowest of the smallest free blocks that hold `2^order` frames, gives back what is over; -1 for none. */
  take(order: number): number {
    const candidates = this.#orders & (-1 << order);
    if (candidates === 0) return -1;
    let found = lowestBit(candidates);
    let index = this.#lowest(found);
    this.#clear(found, index);
    while (found > order) {
      found--;
      index *= 2;
      this.#set(found, index + 1);
    }
    return index << order;
  }

  /** Adds the block of `2^order` frames at `first`, merged with its buddy as often as that is free. */
  give(first: number, order: number): void {
    let index = first >>> order;
    while (order < this.#largestOrder && this.#has(order, index ^ 1)) {
      this.#clear(order, index ^ 1);
      index >>>= 1;
      order++;
    }
    this.#set(order, index);
  }

  /** Free blocks of exactly this order. */
  count(order: number): number {
    const start = this.#offset[order * LEVELS];
    const top = order * LEVELS + 1;
    const end = this.#depth[order] > 1 ? this.#offset[top] : start + 1;
    let blocks = 0;
    for (let at = start; at < end; at++) {
      for (let word = this.#words[at]; word !== 0; word &= word - 1) blocks++;
    }
    return blocks;
  }

  /** Keeps the present state for `restore`. */
  remember(): void {
    this.#pristine.set(this.#words);
    this.#pristineOrders = this.#orders;
  }

  /** Goes back to the state that was remembered. */
  restore(): void {
    this.#words.set(this.#pristine);
    this.#orders = this.#pristineOrders;
  }

  #has(order: number, index: number): boolean {
    const word = this.#words[this.#offset[order * LEVELS] + (index >>> 5)];
    return (word & (1 << (index & 31))) !== 0;
  }

  #lowest(order: number): number {
    let index = 0;
    for (let level = this.#depth[order] - 1; level >= 0; level--) {
      const word = this.#words[this.#offset[order * LEVELS + level] + index];
      index = index * 32 + lowestBit(word);
    }
    return index;
  }

  #set(order: number, index: number): void {
    const depth = this.#depth[order];
    for (let level = 0; level < depth; level++) {
      const at = this.#offset[order * LEVELS + level] + (index >>> 5);
      const before = this.#words[at];
      this.#words[at] = before | (1 << (index & 31));
      if (before !== 0) return;
      index >>>= 5;
    }
    this.#orders |= 1 << order;
  }

  #clear(order: number, index: number): void {
    const depth = this.#depth[order];
    for (let level = 0; level < depth; level++) {
      const at = this.#offset[order * LEVELS + level] + (index >>> 5);
      const after = this.#words[at] & ~(1 << (index & 31));
      this.#words[at] = after;
      if (after !== 0) return;
      index >>>= 5;
    }
    this.#orders &= ~(1 << order);
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
