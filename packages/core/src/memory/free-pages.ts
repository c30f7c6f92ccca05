import type { Page } from "../contract/units.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import type { AllocationGate } from "./allocation-gate.ts";
import { type BuddyAllocator, LARGEST_ORDER } from "./buddy.ts";
import type { Frames } from "./frames.ts";
import type { OwnerTag } from "./owners.ts";
import { PG_bare, PG_head, PG_tail } from "./page-flags.ts";

/**
 * How the pages of a block are counted.
 *
 * - `compound`: as one (`__GFP_COMP`); a reference to any of them is one to the head, and the last frees them all.
 * - `split`: each for itself (`split_page`), with one reference; each is freed by its own last reference.
 * - `bare`: neither. Only the first page has a reference, and taking one to another is a bug. What `alloc_pages`
 *   gives a driver that asks for several pages and nothing else.
 */
export type BlockShape = "compound" | "split" | "bare";

/** The page allocator's front door (mm/page_alloc.c, 6.1): blocks with a struct page, their shape, and their end. */
export class FreePages {
  /** Told of each page whose owner is about to drop its reference, as `freePages` is no step that could announce it. */
  onPut: ((page: Page) => void) | undefined = undefined;
  /** Told of each frame that is freed and stays out of use, as its hardware is broken. */
  onLost: ((page: Page) => void) | undefined = undefined;
  readonly #frames: Frames;
  readonly #buddy: BuddyAllocator;
  readonly #gate: AllocationGate;
  readonly #violations: ViolationSink;

  constructor(frames: Frames, buddy: BuddyAllocator, gate: AllocationGate, violations: ViolationSink) {
    this.#frames = frames;
    this.#buddy = buddy;
    this.#gate = gate;
    this.#violations = violations;
    frames.onRelease((page, order) => this.#giveBack(page, order));
  }

  /**
   * One page with one reference (`alloc_page`), its contents whatever they were; undefined when memory has run out.
   * Freed by its last `put`.
   */
  allocPage(owner: OwnerTag): Page | undefined {
    if (!this.#gate.mayAllocate("alloc_pages")) return undefined;
    const pfn = this.#buddy.allocate(0);
    if (pfn < 0) return undefined;
    this.#frames.handOut(pfn as Page, owner, 1);
    return pfn as Page;
  }

  /** `allocPage`, and every byte is zero (`get_zeroed_page`, `__GFP_ZERO`). */
  allocZeroedPage(owner: OwnerTag): Page | undefined {
    const page = this.allocPage(owner);
    if (page !== undefined) this.#frames.clear(page);
    return page;
  }

  /**
   * `2^order` pages that are neighbours, aligned to their size, contents whatever they were (`alloc_pages`,
   * `__get_free_pages`). Undefined when no such block is free, and for an order above 10.
   */
  getFreePages(order: number, shape: BlockShape, owner: OwnerTag): Page | undefined {
    if (order === 0) return this.allocPage(owner);
    if (!Number.isInteger(order) || order < 0) throw new RangeError(`${order} is not an order`);
    if (!this.#gate.mayAllocate("alloc_pages") || order > LARGEST_ORDER) return undefined;
    const pfn = this.#buddy.allocate(order);
    if (pfn < 0) return undefined;
    const page = pfn as Page;
    const others = shape === "split" ? 1 : 0;
    this.#frames.handOut(page, owner, 1);
    for (let at = 1; at < 1 << order; at++) this.#frames.handOut((page + at) as Page, owner, others);
    if (shape !== "split") this.#frames.joinBlock(page, order, shape);
    return page;
  }

  /**
   * Gives back a block of any shape but `split`, whose pages go one by one (`__free_pages`). Answers whether it is
   * free now.
   *
   * Drops the owner's reference: a single or compound page that somebody else still holds lives on until their last
   * `put`. Of a bare block, only the first page can live on so; the others are freed at once.
   *
   * Reports a double free, and an order or a page other than was allocated; both change nothing.
   */
  freePages(page: Page, order: number): boolean {
    const frames = this.#frames;
    if (!frames.hasPage(page)) {
      this.#violations.report(
        "page-kind",
        `free_pages on ${frames.describe(page)}, which has no struct page`,
        { frame: page },
      );
      return false;
    }
    this.onPut?.(page);
    if (!frames.isAllocated(page)) {
      this.#violations.report("double-free", `free_pages on ${frames.describe(page)}`, { frame: page });
      return false;
    }
    const flags = frames.flags[page];
    const allocated = frames.orderOf(page);
    if (allocated !== order || (flags & PG_tail) !== 0 || frames.bareBlockOf(page) !== undefined) {
      const was =
        (flags & (PG_head | PG_bare)) === 0 ? "not the start of such a block" : `of order ${allocated}`;
      this.#violations.report(
        "page-kind",
        `free_pages of order ${order} on ${frames.describe(page)}, ${was}`,
        { frame: page },
      );
      return false;
    }
    return (flags & PG_bare) === 0 ? frames.put(page) : this.#freeBare(page, order);
  }

  #freeBare(page: Page, order: number): boolean {
    const frames = this.#frames;
    if (!frames.mayBeFreed(page, order)) return false;
    if (frames.refcount[page] === 1) {
      frames.refcount[page] = 0;
      this.#giveBack(page, order);
      return true;
    }
    frames.leaveBlock(page);
    for (let part = order - 1; part >= 0; part--) this.#giveBack((page + (1 << part)) as Page, part);
    return frames.put(page);
  }

  /** Frames of broken hardware stay out, so the block may come apart. */
  #giveBack(page: Page, order: number): void {
    if (order === 0) {
      if (this.#frames.takeBack(page)) this.#buddy.free(page, 0);
      else this.onLost?.(page);
      return;
    }
    let broken = 0;
    for (let at: number = page, end = page + (1 << order); at < end; at++) {
      if (this.#frames.takeBack(at as Page)) continue;
      this.onLost?.(at as Page);
      broken++;
    }
    if (broken === 0) this.#buddy.free(page, order);
    else this.#giveBackHealthy(page, order);
  }

  #giveBackHealthy(page: Page, order: number): void {
    for (let at: number = page, end = page + (1 << order); at < end; at++) {
      if (!this.#frames.isAllocated(at as Page)) this.#buddy.free(at, 0);
    }
  }
}
