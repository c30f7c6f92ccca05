/**
 * The state bits of a frame (include/linux/page-flags.h, 6.1). The numbers are the model's own; only the names and
 * meanings are Linux's. The last four have no counterpart there: they are what a sanitizer needs to remember.
 */

/** Held by `lock_page`. */
export const PG_locked = 1 << 0;
/** Written since it was last cleaned (`set_page_dirty`). Nothing to do with `PG_zeroed`. */
export const PG_dirty = 1 << 1;
/** Belongs to nobody the VM may ask: boot memory, and pages that a driver marked so in the days of 2.x. */
export const PG_reserved = 1 << 2;
/** Backs a slab: `kmalloc` objects, which must never be mapped as a page. */
export const PG_slab = 1 << 3;
/** First page of a compound page; its count stands for all of them. */
export const PG_head = 1 << 4;
/** Any other page of a compound page. */
export const PG_tail = 1 << 5;
/** Anonymous memory of a process (`PageAnon`, a bit of `page->mapping` in Linux). */
export const PG_anon = 1 << 6;
/** Anonymous, and no other process shares it (`PageAnonExclusive`): its one mapper writes to it without a copy. */
export const PG_anon_exclusive = 1 << 7;
/** The hardware reported an uncorrectable error; never handed out again. */
export const PG_hwpoison = 1 << 8;
/** Every byte is known to be zero, so that clearing it again costs nothing. */
export const PG_zeroed = 1 << 9;
/** Every byte was written, or cleared, since the frame was allocated: showing it to user space leaks nothing. */
export const PG_initialised = 1 << 10;
/** First page of a block that is neither compound nor split: the only page of it with a count of its own. */
export const PG_bare = 1 << 11;
/** The frame differs, or may differ, from how it was built; `Frames.reset` visits it. */
export const PG_touched = 1 << 12;

/**
 * The bits that may not be set when the last reference goes (`PAGE_FLAGS_CHECK_AT_FREE`). Linux calls `bad_page` and
 * leaks the page.
 */
export const FLAGS_CHECKED_AT_FREE = PG_locked | PG_reserved | PG_slab;

/** The bits that describe the contents, or the bookkeeping, and so outlive a free and the next allocation. */
export const FLAGS_KEPT_WHEN_FREE = PG_zeroed | PG_touched;

const names: ReadonlyArray<readonly [bit: number, name: string]> = [
  [PG_locked, "locked"],
  [PG_dirty, "dirty"],
  [PG_reserved, "reserved"],
  [PG_slab, "slab"],
  [PG_head, "head"],
  [PG_tail, "tail"],
  [PG_anon, "anon"],
  [PG_anon_exclusive, "anon-exclusive"],
  [PG_hwpoison, "hwpoison"],
  [PG_bare, "bare"],
];

/** The flags in words, separated by a bar, as a report shows them; empty when there are none worth telling. */
export function pageFlagNames(flags: number): string {
  return names
    .filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join("|");
}
