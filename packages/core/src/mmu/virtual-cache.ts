import type { Pfn } from "../contract/units.ts";
import type { Frames } from "../memory/frames.ts";
import type { Geometry } from "./geometry.ts";
import { PTE_UNCACHED, PTE_WRITE_COMBINING, type Pte, ptePfn } from "./pte.ts";
import { Tlb } from "./tlb.ts";

/** Ways in which a page can lie in the cache: virtual page numbers that agree modulo this share their lines. */
export const CACHE_COLOURS = 4;

/** One page of one colour in the cache. */
interface CachedPage {
  readonly pfn: Pfn;
  /** The frame that stands for the cache's own memory. */
  readonly store: Pfn;
  /** What memory held when the page was cached: bytes that differ from it are dirty. */
  readonly filled: Uint8Array;
}

/**
 * A write-back data cache that is indexed by virtual address (sparc, mips, parisc and old arm: arch/…/cacheflush). Two
 * mappings of one frame at addresses of different colour have a copy each, and disagree until they are flushed;
 * addresses of one colour share. It is one cache for all CPUs, and whole pages stand for lines.
 *
 * Its memory is frames set aside at boot, which translations lead to in place of the frame itself; so loads and stores
 * know nothing of it, and a machine without such a cache pays nothing.
 */
export class VirtualCache {
  /**
   * Told when what is cached is about to be looked at, and when a frame is about to be brought in or written back to: that
   * changes what is cached, and whatever is written back empties every TLB.
   */
  onUse: ((use: "look" | "fill" | "write-back", pfn: Pfn) => void) | undefined = undefined;
  readonly #frames: Frames;
  readonly #perPage: number;
  readonly #tlbs: readonly Tlb[];
  readonly #free: Pfn[];
  /** By frame and colour, the oldest first. */
  readonly #pages = new Map<number, CachedPage>();
  readonly #flushing: "on" | "left-out";

  /** `stores` are frames that nobody else uses; with `left-out` the kernel's flushes do nothing. */
  constructor(
    frames: Frames,
    {
      tlbs,
      stores,
      flushing,
    }: {
      readonly tlbs: readonly Tlb[];
      readonly stores: readonly Pfn[];
      readonly flushing: "on" | "left-out";
    },
  ) {
    this.#frames = frames;
    this.#perPage = 1 / frames.pageSize;
    this.#tlbs = tlbs;
    this.#free = [...stores];
    this.#flushing = flushing;
  }

  /** The frame in which accesses by `pageBase` find page `pfn`: cached now if it was not. */
  storeOf(pfn: Pfn, pageBase: number): Pfn {
    const key = this.#key(pfn, pageBase * this.#perPage);
    this.onUse?.("look", pfn);
    return this.#pages.get(key)?.store ?? this.#fill(key, pfn);
  }

  /** Writes one page of one colour back and forgets it (`flush_cache_page`). */
  flushPage(pfn: Pfn, vpn: number): void {
    if (this.#flushing !== "on") return;
    this.onUse?.("look", pfn);
    this.#evict(this.#key(pfn, vpn));
  }

  /** Writes a frame back in whichever colours it is cached, and forgets it (`flush_dcache_page`). */
  flushFrame(pfn: Pfn): void {
    for (let colour = 0; colour < CACHE_COLOURS; colour++) this.flushPage(pfn, colour);
  }

  #key(pfn: Pfn, vpn: number): number {
    return pfn * CACHE_COLOURS + (vpn % CACHE_COLOURS);
  }

  #fill(key: number, pfn: Pfn): Pfn {
    const oldest = this.#pages.keys().next().value;
    if (this.#free.length === 0 && oldest !== undefined) this.#evict(oldest);
    const store = this.#free.pop() as Pfn;
    this.onUse?.("fill", pfn);
    const filled = this.#bytes(pfn).slice();
    this.#bytes(store).set(filled);
    this.#frames.markWritten(store, 0, filled.length);
    this.#pages.set(key, { pfn, store, filled });
    return store;
  }

  #evict(key: number): void {
    const page = this.#pages.get(key);
    if (page === undefined) return;
    this.onUse?.("write-back", page.pfn);
    this.#pages.delete(key);
    this.#free.push(page.store);
    const cached = this.#bytes(page.store);
    const memory = this.#bytes(page.pfn);
    for (let at = 0; at < cached.length; at++) {
      if (cached[at] === page.filled[at]) continue;
      memory[at] = cached[at] as number;
      this.#frames.markWritten(page.pfn, at, 1);
    }
    // Translations lead into the cache: what left it must be looked up anew.
    for (const tlb of this.#tlbs) tlb.flushAll();
  }

  #bytes(pfn: Pfn): Uint8Array {
    const { bytes, pageSize } = this.#frames;
    return bytes.subarray(pfn * pageSize, (pfn + 1) * pageSize);
  }
}

/** The TLB of a CPU whose data cache is indexed virtually: translations of cached RAM lead into the cache. */
export class AliasingTlb extends Tlb {
  cache: VirtualCache | undefined = undefined;
  readonly #bytesPerPage: number;

  constructor(geometry: Geometry, size: number, scrapped?: Tlb) {
    super(geometry, size, scrapped);
    this.#bytesPerPage = geometry.pageSize;
  }

  override insert(pageBase: number, entry: Pte, ramPages: number): number {
    const isCached = ptePfn(entry) < ramPages && (entry & (PTE_UNCACHED | PTE_WRITE_COMBINING)) === 0;
    // First, because what makes room in the cache empties the TLB.
    const store = isCached ? this.cache?.storeOf(ptePfn(entry), pageBase) : undefined;
    const slot = super.insert(pageBase, entry, ramPages);
    if (store !== undefined) this.ramOffset[slot] = store * this.#bytesPerPage;
    return slot;
  }
}
