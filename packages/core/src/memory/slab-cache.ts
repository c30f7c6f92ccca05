import type { Page } from "../contract/units.ts";
import type { Frames } from "./frames.ts";
import type { FreePages } from "./free-pages.ts";
import { owners } from "./owners.ts";
import { PG_slab } from "./page-flags.ts";

/**
 * One slab: a page, or two that are compound, cut into objects of one size. Its bookkeeping lies beside the memory,
 * not inside free objects as in SLUB, so that freed contents stay as they were.
 */
export class Slab {
  readonly cache: SlabCache;
  page: Page;
  /** Objects handed out. */
  inUse = 0;
  /** Index in the cache's list of slabs with room; -1 while the slab is full. */
  position = -1;
  readonly #used: Uint8Array;
  readonly #freed: Uint16Array;
  #freedCount = 0;
  /** Objects from here on were never handed out. */
  #fresh = 0;

  constructor(cache: SlabCache, page: Page) {
    this.cache = cache;
    this.page = page;
    this.#used = new Uint8Array(cache.objectsPerSlab);
    this.#freed = new Uint16Array(cache.objectsPerSlab);
  }

  /** Takes an object: the one freed last, otherwise the first that was never used. The slab has room. */
  take(): number {
    const index = this.#freedCount > 0 ? this.#freed[--this.#freedCount] : this.#fresh++;
    this.#used[index] = 1;
    this.inUse++;
    return index;
  }

  /** Whether the object is handed out. */
  isUsed(index: number): boolean {
    return this.#used[index] === 1;
  }

  /** Takes an object back. It is handed out. */
  give(index: number): void {
    this.#used[index] = 0;
    this.#freed[this.#freedCount++] = index;
    this.inUse--;
  }

  /** Serves another page; no object is handed out. */
  moveTo(page: Page): void {
    this.page = page;
    this.#freedCount = 0;
    this.#fresh = 0;
  }
}

/** The slabs of one object size (`struct kmem_cache`). */
export class SlabCache {
  readonly objectBytes: number;
  readonly objectsPerSlab: number;
  /** log2 of the pages of a slab. */
  readonly order: number;
  readonly #frames: Frames;
  readonly #pages: FreePages;
  readonly #slabs: Map<Page, Slab>;
  readonly #withRoom: Slab[] = [];
  readonly #unused: Slab[] = [];

  /** `slabs` is where all caches list their slabs by first page. */
  constructor(objectBytes: number, frames: Frames, pages: FreePages, slabs: Map<Page, Slab>) {
    this.objectBytes = objectBytes;
    this.order = objectBytes > frames.pageSize ? Math.log2(objectBytes / frames.pageSize) : 0;
    this.objectsPerSlab = Math.max(1, frames.pageSize / objectBytes);
    this.#frames = frames;
    this.#pages = pages;
    this.#slabs = slabs;
  }

  /** A slab that has an object to hand out, a new one if need be; undefined when memory has run out. */
  slabWithRoom(): Slab | undefined {
    return this.#withRoom.at(-1) ?? this.#grow();
  }

  /** Hands out an object of a slab with room; answers its index. */
  take(slab: Slab): number {
    const index = slab.take();
    if (slab.inUse === this.objectsPerSlab) this.#leaveList(slab);
    return index;
  }

  /** Takes back an object that is handed out; the slab's pages go with the last. */
  give(slab: Slab, index: number): void {
    slab.give(index);
    if (slab.position < 0) this.#enterList(slab);
    if (slab.inUse === 0) this.#shrink(slab);
  }

  /** Forgets every slab, when the frames are reset as well. */
  reset(): void {
    this.#withRoom.length = 0;
  }

  #grow(): Slab | undefined {
    const page = this.#pages.getFreePages(this.order, "compound", owners.slab);
    if (page === undefined) return undefined;
    for (let at = 0; at < 1 << this.order; at++) this.#frames.setFlags((page + at) as Page, PG_slab);
    const recycled = this.#unused.pop();
    recycled?.moveTo(page);
    const slab = recycled ?? new Slab(this, page);
    this.#slabs.set(page, slab);
    this.#enterList(slab);
    return slab;
  }

  #shrink(slab: Slab): void {
    const { page } = slab;
    this.#leaveList(slab);
    this.#slabs.delete(page);
    this.#unused.push(slab);
    for (let at = 0; at < 1 << this.order; at++) this.#frames.clearFlags((page + at) as Page, PG_slab);
    this.#pages.freePages(page, this.order);
  }

  #enterList(slab: Slab): void {
    slab.position = this.#withRoom.push(slab) - 1;
  }

  #leaveList(slab: Slab): void {
    const last = this.#withRoom.pop() as Slab;
    if (last !== slab) {
      this.#withRoom[slab.position] = last;
      last.position = slab.position;
    }
    slab.position = -1;
  }
}
