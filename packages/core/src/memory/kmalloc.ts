import type { KernelAddress, Page } from "../contract/units.ts";
import type { ViolationKind, ViolationSink } from "../sanitize/violation.ts";
import type { AllocationGate } from "./allocation-gate.ts";
import type { DirectMap } from "./direct-map.ts";
import type { Frames } from "./frames.ts";
import type { FreePages } from "./free-pages.ts";
import { hexAddress, KernelFault } from "./kernel-fault.ts";
import { owners } from "./owners.ts";
import { type Slab, SlabCache } from "./slab-cache.ts";

/** What `kmalloc(0)` answers (`ZERO_SIZE_PTR`): it may be freed, and faults when it is used. */
export const ZERO_SIZE_POINTER = 16 as KernelAddress;

/** log2 of the smallest object. */
const SMALLEST_SHIFT = 3;

/**
 * Small and physically contiguous memory, in the direct map (mm/slab_common.c and mm/slub.c, 6.1).
 *
 * Sizes are rounded up to a power of two and objects aligned to theirs. Up to two pages they share slabs, pages marked
 * `PG_slab`; above, each is a compound page of its own that is not marked so (`kmalloc_large`). A slab is given back
 * with its last object, where Linux may keep it, so that frames in use can be compared before and after.
 */
export class Kmalloc {
  /** Told which cache, by its number from the smallest objects on, is about to be changed or looked at. */
  onUse: ((cache: number, use: "change" | "look") => void) | undefined = undefined;
  /** Told of the page by whose flags it is about to be seen what an address is. */
  onLook: ((page: Page) => void) | undefined = undefined;
  /** Told of each page that is about to be cleared, in whole or in part. */
  onClear: ((page: Page) => void) | undefined = undefined;
  readonly #frames: Frames;
  readonly #pages: FreePages;
  readonly #directMap: DirectMap;
  readonly #gate: AllocationGate;
  readonly #violations: ViolationSink;
  readonly #largestObject: number;
  /** By size, from the smallest objects on; made when they are first asked for. */
  readonly #caches: (SlabCache | undefined)[];
  readonly #slabs = new Map<Page, Slab>();
  /** The first pages of large requests. */
  readonly #large = new Set<Page>();

  constructor(
    frames: Frames,
    pages: FreePages,
    directMap: DirectMap,
    gate: AllocationGate,
    violations: ViolationSink,
  ) {
    this.#frames = frames;
    this.#pages = pages;
    this.#directMap = directMap;
    this.#gate = gate;
    this.#violations = violations;
    this.#largestObject = 2 * frames.pageSize;
    this.#caches = [];
    for (let bytes = 1 << SMALLEST_SHIFT; bytes <= this.#largestObject; bytes *= 2) {
      this.#caches.push(undefined);
    }
  }

  /**
   * Memory for `bytes` bytes, its contents whatever they were: a driver that shows it to user space without writing
   * all of it leaks them. Undefined when memory has run out, and above 2^10 pages.
   *
   * @throws RangeError for a size that is no natural number.
   */
  kmalloc(bytes: number): KernelAddress | undefined {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) throw new RangeError(`${bytes} is not a size in bytes`);
    if (bytes === 0) return ZERO_SIZE_POINTER;
    if (!this.#gate.mayAllocate("kmalloc")) return undefined;
    if (bytes > this.#largestObject) return this.#allocateLarge(bytes);
    const shift = Math.max(SMALLEST_SHIFT, 32 - Math.clz32(bytes - 1));
    const cache = this.#cacheOf(shift - SMALLEST_SHIFT);
    this.onUse?.(shift - SMALLEST_SHIFT, "change");
    const slab = cache.slabWithRoom();
    if (slab === undefined) return undefined;
    const offset = cache.take(slab) * cache.objectBytes;
    return (this.#directMap.addressOf(slab.page) + offset) as KernelAddress;
  }

  /** The cache of a number, which counts from the smallest objects on. */
  #cacheOf(number: number): SlabCache {
    const bytes = 1 << (SMALLEST_SHIFT + number);
    this.#caches[number] ??= new SlabCache(bytes, this.#frames, this.#pages, this.#slabs);
    return this.#caches[number];
  }

  /** `kmalloc`, and all `ksize` bytes are zero. */
  kzalloc(bytes: number): KernelAddress | undefined {
    const address = this.kmalloc(bytes);
    if (address === undefined || address === ZERO_SIZE_POINTER) return address;
    const frames = this.#frames;
    const size = this.ksize(address);
    const page = this.#directMap.virtToPage(address);
    if (size < frames.pageSize) {
      const start = address - this.#directMap.start;
      this.onClear?.(page);
      frames.markWritten(page, start % frames.pageSize, size);
      frames.bytes.fill(0, start, start + size);
    } else {
      for (let at = 0; at < size / frames.pageSize; at++) frames.clear((page + at) as Page);
    }
    return address;
  }

  /**
   * The bytes that may be used from an object's start on, no fewer than were asked for (`ksize`).
   *
   * @throws KernelFault, after a report, for an address that is in nothing that `kmalloc` gave.
   */
  ksize(address: KernelAddress): number {
    if (address === ZERO_SIZE_POINTER) return 0;
    const head = this.#headOf(address);
    const slab = head === undefined ? undefined : this.#slabs.get(head);
    if (slab !== undefined) this.onUse?.(this.#caches.indexOf(slab.cache), "look");
    if (slab?.isUsed(this.#indexIn(slab, address)) === true) return slab.cache.objectBytes;
    if (head !== undefined && this.#large.has(head))
      return this.#frames.pageSize << this.#frames.orderOf(head);
    this.#violations.report("page-kind", `ksize(${hexAddress(address)}): not memory of kmalloc`, {
      object: objectAt(address),
    });
    throw new KernelFault(address, "ksize of what is not memory of kmalloc");
  }

  /**
   * Frees what `kmalloc` gave; `0` (NULL) and `ZERO_SIZE_POINTER` are nothing to free. Whoever still has a reference
   * to a page of it keeps that page.
   *
   * Reports an object that is free already, an address in the middle of one, and memory of another allocator; all
   * change nothing.
   */
  kfree(address: KernelAddress): void {
    if (address === 0 || address === ZERO_SIZE_POINTER) return;
    const head = this.#headOf(address);
    const slab = head === undefined ? undefined : this.#slabs.get(head);
    if (head === undefined) this.#refuse("page-kind", address, "not in the direct map of a page");
    else if (slab !== undefined) this.#freeObject(slab, address);
    else if (this.#large.has(head)) this.#freeLarge(head, address);
    else {
      const kind = this.#frames.isAllocated(head) ? "page-kind" : "double-free";
      this.#refuse(kind, address, `no memory of kmalloc: ${this.#frames.describe(head)}`);
    }
  }

  /** Forgets every object, when the frames are reset as well. */
  reset(): void {
    for (const cache of this.#caches) cache?.reset();
    this.#slabs.clear();
    this.#large.clear();
  }

  #allocateLarge(bytes: number): KernelAddress | undefined {
    const order = Math.ceil(Math.log2(Math.ceil(bytes / this.#frames.pageSize)));
    const page = this.#pages.getFreePages(order, "compound", owners.kmalloc);
    if (page === undefined) return undefined;
    this.#large.add(page);
    return this.#directMap.addressOf(page);
  }

  #freeObject(slab: Slab, address: KernelAddress): void {
    const index = this.#indexIn(slab, address);
    const start = this.#directMap.addressOf(slab.page) + index * slab.cache.objectBytes;
    const size = slab.cache.objectBytes;
    this.onUse?.(this.#caches.indexOf(slab.cache), "change");
    if (!slab.isUsed(index)) this.#refuse("double-free", address, `an object of ${size} bytes that is free`);
    else if (address !== start)
      this.#refuse("page-kind", address, `in the middle of an object of ${size} bytes`);
    else {
      this.#violations.remember?.(objectAt(address), "frees the object");
      slab.cache.give(slab, index);
    }
  }

  #freeLarge(head: Page, address: KernelAddress): void {
    if (address === this.#directMap.addressOf(head)) {
      this.#violations.remember?.(objectAt(address), "frees the object");
      this.#large.delete(head);
      this.#pages.freePages(head, this.#frames.orderOf(head));
    } else this.#refuse("page-kind", address, `in the middle of ${this.#frames.describe(head)}`);
  }

  #indexIn(slab: Slab, address: KernelAddress): number {
    return Math.floor((address - this.#directMap.addressOf(slab.page)) / slab.cache.objectBytes);
  }

  #headOf(address: KernelAddress): Page | undefined {
    const pfn = this.#directMap.pfnOf(address);
    if (pfn === undefined || !this.#frames.hasPage(pfn)) return undefined;
    this.onLook?.(pfn);
    return this.#frames.headOf(pfn);
  }

  #refuse(kind: ViolationKind, address: KernelAddress, reason: string): void {
    this.#violations.report(kind, `kfree(${hexAddress(address)}): ${reason}`, { object: objectAt(address) });
  }
}

/** What kmalloc gave, as reports name it. */
function objectAt(address: KernelAddress): string {
  return `kmalloc memory at ${hexAddress(address)}`;
}
