import type { Page, Pfn } from "../contract/units.ts";
import type { Geometry } from "../mmu/geometry.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import { FrameReports } from "./frame-reports.ts";
import { FrameStore } from "./frame-store.ts";
import { FLAGS_CHECKED_AT_FREE, PG_anon, PG_head, PG_slab, PG_tail } from "./page-flags.ts";

/** The highest reference count (`INT_MAX`): above it Linux's page counts turn negative, and are refused. */
export const REFCOUNT_MAX = 0x7fffffff;

/** How much RAM a machine has, and where reports about it go. */
export interface FramesOptions {
  readonly geometry: Geometry;
  /** Frames with a struct page: pfns `[0, count)`. */
  readonly count: number;
  /** Frames of RAM without struct page, as on the machines of the 2004 mail: pfns `[count, count + pageless)`. */
  readonly pageless?: number;
  readonly violations: ViolationSink;
  /** RAM of a machine that is not used any more, whose memory is taken over where it is of the same size. */
  readonly scrapped?: Frames | undefined;
}

/** Takes back a single page or a compound page whose last reference went; `order` is log2 of its frames. */
export type ReleaseHandler = (page: Page, order: number) => void;

/**
 * The RAM of a machine, and the rules of counting for the frames that have a struct page (include/linux/mm.h,
 * mm/rmap.c, mm/gup.c). Counts of a compound page are kept on its head, as in a folio.
 *
 * Frame 0 is reserved and never handed out. An operation that Linux leaves undefined, or answers with a BUG or
 * `bad_page`, reports a violation and changes nothing.
 */
export class Frames extends FrameStore {
  readonly #reports: FrameReports;
  #release: ReleaseHandler = () => {
    throw new Error("a page was released before an allocator had registered for it");
  };

  /** @throws RangeError when RAM would be larger than 2^31-1 bytes, or would have no frame to hand out. */
  constructor({ geometry, count, pageless = 0, violations, scrapped }: FramesOptions) {
    super(geometry, count, pageless, scrapped);
    this.#reports = new FrameReports(this, violations);
  }

  /** Registers the allocator that takes back what the last `put` frees; one for each machine. */
  onRelease(handler: ReleaseHandler): void {
    this.#release = handler;
  }

  /** Whether the pfn has a struct page (`pfn_valid`), and so may be treated as a `Page`. */
  hasPage(pfn: Pfn): pfn is Page {
    return pfn >= 0 && pfn < this.count;
  }

  /** Whether the pfn is RAM, with or without struct page, and not I/O. */
  isRam(pfn: Pfn): boolean {
    return pfn >= 0 && pfn < this.total;
  }

  /** The page of a pfn that has one (`pfn_to_page` behind `pfn_valid`). */
  pageOf(pfn: Pfn): Page | undefined {
    return this.hasPage(pfn) ? pfn : undefined;
  }

  /**
   * Whether a driver may show the page to user space as a page (`validate_page_before_insert`): it is handed out,
   * neither anonymous nor of a slab, and no page inside a bare block, which has no count.
   */
  mayBeMapped(page: Page): boolean {
    if (!this.hasPage(page) || !this.isAllocated(page)) return false;
    return !this.hasFlags(page, PG_anon | PG_slab) && this.bareBlockOf(page) === undefined;
  }

  /**
   * Takes one reference more (`get_page`). The caller holds one already, or a lock that keeps the page from being
   * freed. Reports on a free page, on a page without a count of its own and at `REFCOUNT_MAX`.
   */
  get(page: Page): void {
    const target = (this.flags[page] & PG_tail) === 0 ? page : this.head[page];
    const references = this.refcount[target];
    // Also false for the undefined that an index outside the array gives.
    if (references > 0 && references < REFCOUNT_MAX) this.refcount[target] = references + 1;
    else this.#reports.refusedGet(page);
  }

  /**
   * Takes one reference more unless the page is free or its count saturated (`try_get_page`, `folio_try_get`), and
   * answers whether it did. The count never wraps.
   */
  tryGet(page: Page): boolean {
    const target = (this.flags[page] & PG_tail) === 0 ? page : this.head[page];
    const references = this.refcount[target];
    if (references > 0 && references < REFCOUNT_MAX) {
      this.refcount[target] = references + 1;
      return true;
    }
    if (references === undefined) this.#reports.refusedGet(page);
    return false;
  }

  /**
   * Drops one reference (`put_page`); the last one frees the page, or the whole compound page it belongs to. Answers
   * whether it was the last.
   *
   * Reports when there is no reference to drop, and when the last one would go while the page is mapped, pinned,
   * locked, reserved or a slab (`bad_page`): then it stays.
   */
  put(page: Page): boolean {
    const target = (this.flags[page] & PG_tail) === 0 ? page : this.head[page];
    const references = this.refcount[target];
    if (references > 1) {
      this.refcount[target] = references - 1;
      return false;
    }
    if (references === 1) return this.#putLast(target as Page);
    this.#reports.refusedPut(page);
    return false;
  }

  #putLast(page: Page): boolean {
    const order = (this.flags[page] & PG_head) === 0 ? 0 : this.order[page];
    if (!this.mayBeFreed(page, order)) return false;
    this.refcount[page] = 0;
    this.#release(page, order);
    return true;
  }

  /**
   * Whether nothing but its references keeps the block `[page, page + 2^order)` (`free_pages_check`); reports the
   * first page that is still mapped, pinned, locked, reserved or a slab.
   */
  mayBeFreed(page: Page, order: number): boolean {
    for (let at: number = page, end = page + (1 << order); at < end; at++) {
      const users = this.mapcount[at] | this.pincount[at];
      if ((users | (this.flags[at] & FLAGS_CHECKED_AT_FREE)) === 0) continue;
      this.#reports.freedWhileBusy(at as Page);
      return false;
    }
    return true;
  }

  /** One counted mapping more (`page_add_file_rmap`, `page_add_anon_rmap`); the mapping holds a reference as well. */
  addMapping(page: Page): void {
    if (this.refcount[this.headOf(page)] > 0) this.mapcount[page]++;
    else this.#reports.mappedWithoutReference(page);
  }

  /** One counted mapping less (`page_remove_rmap`); the mapping's reference is dropped apart from it. */
  removeMapping(page: Page): void {
    if (this.mapcount[page] > 0) this.mapcount[page]--;
    else this.#reports.underflow(page, "page_remove_rmap", "mapped");
  }

  /** One pin and one reference more, for DMA (`try_grab_page` with `FOLL_PIN`); fails as `tryGet` does. */
  tryPin(page: Page): boolean {
    if (!this.tryGet(page)) return false;
    this.pincount[this.headOf(page)]++;
    return true;
  }

  /** Takes back a pin and its reference (`unpin_user_page`); answers as `put`. */
  unpin(page: Page): boolean {
    const head = this.headOf(page);
    if (this.pincount[head] > 0) {
      this.pincount[head]--;
      return this.put(page);
    }
    this.#reports.underflow(page, "unpin_user_page", "pinned");
    return false;
  }

  /** The frame in words, for reports: `page 12 (driver, 2 references, 1 mapping)`. */
  describe(pfn: Pfn): string {
    return this.#reports.describe(pfn);
  }
}
