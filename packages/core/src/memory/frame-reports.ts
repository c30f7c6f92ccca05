import type { Page, Pfn } from "../contract/units.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import type { FrameStore } from "./frame-store.ts";
import { hexAddress } from "./kernel-fault.ts";
import type { OwnerTag } from "./owners.ts";
import { FLAGS_CHECKED_AT_FREE, pageFlagNames } from "./page-flags.ts";

/** What goes wrong with frames, in words: the slow half of `Frames`. */
export class FrameReports {
  readonly #frames: FrameStore;
  readonly #violations: ViolationSink;

  constructor(frames: FrameStore, violations: ViolationSink) {
    this.#frames = frames;
    this.#violations = violations;
  }

  /** A reference was asked for where none can be had. */
  refusedGet(page: Page): void {
    const name = this.describe(page);
    const count = this.#countOf(page);
    if (count === undefined)
      this.#violations.report("page-kind", `get_page on ${name}, which has no struct page`, { frame: page });
    else if (count > 0)
      this.#violations.report("refcount-overflow", `get_page on ${name}: the count is saturated`, {
        frame: page,
      });
    else if (!this.#frames.isAllocated(page))
      this.#violations.report("use-after-free", `get_page on ${name}`, { frame: page });
    else
      this.#violations.report(
        "page-kind",
        `get_page on ${name}: only the first page of the block has a count`,
        { frame: page },
      );
  }

  /** A reference was dropped where there is none. */
  refusedPut(page: Page): void {
    const name = this.describe(page);
    const count = this.#countOf(page);
    if (count === undefined)
      this.#violations.report("page-kind", `put_page on ${name}, which has no struct page`, { frame: page });
    else
      this.#violations.report("refcount-underflow", `put_page on ${name}: there is no reference to drop`, {
        frame: page,
      });
  }

  /** The last reference would go while something else still needs the page. */
  freedWhileBusy(page: Page): void {
    const { mapcount, pincount, flags } = this.#frames;
    const name = this.describe(page);
    const pins = pincount[page];
    const mappings = mapcount[page];
    if (mappings > 0)
      this.#violations.report("use-after-free", `last reference dropped while mapped: ${name}`, {
        frame: page,
      });
    else if (pins > 0)
      this.#violations.report("use-after-free", `last reference dropped while pinned: ${name}`, {
        frame: page,
      });
    else {
      const bits = pageFlagNames(flags[page] & FLAGS_CHECKED_AT_FREE);
      this.#violations.report("page-kind", `last reference dropped with flags set (${bits}): ${name}`, {
        frame: page,
      });
    }
  }

  /** A counted mapping was made of a page that nobody holds. */
  mappedWithoutReference(page: Page): void {
    const name = this.describe(page);
    if (this.#countOf(page) === undefined) {
      this.#violations.report("page-kind", `page_add_rmap on ${name}, which has no struct page`, {
        frame: page,
      });
    } else
      this.#violations.report("use-after-free", `page_add_rmap on ${name}, which nobody holds`, {
        frame: page,
      });
  }

  /** A counter other than the reference count would fall below zero. */
  underflow(page: Page, operation: string, counter: string): void {
    this.#violations.report(
      "refcount-underflow",
      `${operation} on ${this.describe(page)}, which is not ${counter}`,
      { frame: page },
    );
  }

  /** The frame in words, such as `page 12 (driver, 2 references, mapped once)`. */
  describe(pfn: Pfn): string {
    const frames = this.#frames;
    if (!(pfn >= 0 && pfn < frames.total)) return `pfn ${hexAddress(pfn)} (not RAM)`;
    const owner = frames.ownerTable.name(frames.owner[pfn] as OwnerTag);
    if (pfn >= frames.count) return `pfn ${pfn} (${owner}, RAM without struct page)`;
    const page = pfn as number as Page;
    const facts = [owner];
    const first = frames.bareBlockOf(page);
    const head = frames.headOf(page);
    if (first !== undefined) facts.push(`in the block of page ${first}`);
    else if (head !== page) facts.push(`tail of page ${head}`);
    const references = frames.refcount[head];
    if (references > 0) facts.push(times(references, "reference"));
    const mappings = frames.mapcount[page];
    if (mappings > 0) facts.push(times(mappings, "mapping"));
    const pins = frames.pincount[head];
    if (pins > 0) facts.push(times(pins, "pin"));
    const flags = pageFlagNames(frames.flags[page]);
    if (flags !== "") facts.push(flags);
    return `page ${page} (${facts.join(", ")})`;
  }

  #countOf(page: Page): number | undefined {
    return this.#frames.refcount[this.#frames.headOf(page)];
  }
}

function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
