import { VM_LOCKED } from "../contract/area-flags.ts";
import { EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Geometry } from "../mmu/geometry.ts";
import { callClose } from "./area-hooks.ts";
import { Gather } from "./gather.ts";
import type { Mm } from "./mm.ts";
import { splitArea } from "./split.ts";
import type { Vma } from "./vma.ts";
import { clearEntries } from "./zap.ts";

/**
 * `munmap(2)`: unmaps every page of `[address, address + length)`; holes are allowed.
 *
 * @returns 0; -EINVAL for an unaligned or empty range or one outside the user half; -ENOMEM or the errno of a driver's
 *   `maySplit` when an area had to be split and could not be: nothing is unmapped then
 */
export function* munmap(mm: Mm, address: number, length: number): Sleepable<number> {
  if (!isUserRange(mm, address, length)) return -EINVAL;
  yield* mm.lock.write();
  return yield* unmapAndUnlock(mm, address, address + pageAlign(mm, length));
}

/**
 * Unmaps with the mmap lock held for writing, and gives the lock back: only the first half needs it like that, and
 * faults elsewhere may run during the second (`mmap_write_downgrade`, LC-20). Answers as `munmap`.
 */
export function* unmapAndUnlock(mm: Mm, start: number, end: number): Sleepable<number> {
  const areas = yield* takeOffMap(mm, start, end);
  if (typeof areas === "number") {
    mm.lock.unlockWrite();
    return areas;
  }
  mm.lock.downgrade();
  yield* finishUnmap(mm, areas, start, end);
  mm.lock.unlockRead();
  return 0;
}

/** Whether `[address, address + length)` is page-aligned, not empty and inside the user half. */
export function isUserRange(mm: Mm, address: number, length: number): boolean {
  const { userEnd } = mm.machine.geometry;
  if (address % mm.pageSize !== 0 || address < 0 || length <= 0) return false;
  return length <= userEnd && address <= userEnd - pageAlign(mm, length);
}

/** Rounds a length in bytes up to whole pages, as an `unsigned long` does: the longest lengths become 0 (`PAGE_ALIGN`). */
export function pageAlign(mm: Mm, length: number): number {
  return (Math.ceil(length / mm.pageSize) * mm.pageSize) % wordLimitOf(mm.machine.geometry);
}

/** Whether a range ends, as an `unsigned long`, before it begins. */
export function wraps(mm: Mm, start: number, bytes: number): boolean {
  return start + bytes >= wordLimitOf(mm.machine.geometry);
}

/** One more than the largest `unsigned long` of the architecture: where lengths and offsets wrap (MM-02, MM-03). */
export function wordLimitOf({ userEnd }: Geometry): number {
  return userEnd > 2 ** 32 ? 2 ** 64 : 2 ** 32;
}

/** The work of munmap with the mmap lock held for writing throughout, as mmap and mremap need it. */
export function* unmapLocked(mm: Mm, start: number, length: number): Sleepable<number> {
  const areas = yield* takeOffMap(mm, start, start + length);
  if (typeof areas === "number") return areas;
  yield* finishUnmap(mm, areas, start, start + length);
  return 0;
}

/**
 * The first half (`do_mas_align_munmap`): areas are split at the ends and taken off the map, under the mmap lock for
 * writing. A hole needs room for one area more; trimming an end does not.
 */
function* takeOffMap(mm: Mm, start: number, end: number): Sleepable<readonly Vma[] | number> {
  const first = mm.areas.find(start);
  if (first !== undefined && first.start < start && first.end > end && !mayHaveMoreAreas(mm)) return -ENOMEM;
  if (first !== undefined && first.start < start) {
    const upper = yield* splitArea(first, start, "above");
    if (typeof upper === "number") return upper;
  }
  const last = mm.areas.find(end - 1);
  if (last !== undefined && last.end > end) {
    const lower = yield* splitArea(last, end, "below");
    if (typeof lower === "number") return lower;
  }
  const areas = mm.areas.overlapping(start, end);
  for (const area of areas) detach(area);
  if (areas.length > 0 && end > mm.gapHint && end <= mm.machine.mmapLowTop) mm.gapHint = end;
  return areas;
}

/**
 * The second half: entries are cleared and flushed, and only then the areas closed. Reading the mmap lock is enough
 * for it, so faults elsewhere in the mm may run at the same time as `close` (LC-20).
 */
function* finishUnmap(mm: Mm, areas: readonly Vma[], start: number, end: number): Sleepable<void> {
  if (areas.length === 0) return;
  yield* clearAreas(mm, areas, start, end);
  for (const area of areas) yield* callClose(area);
  mm.machine.log.record("munmap", mm.id, start, (end - start) / mm.pageSize);
}

/** Whether the mm may have one area more than it has (`max_map_count`). */
export function mayHaveMoreAreas(mm: Mm): boolean {
  return mm.areas.size < mm.machine.settings.maxAreas;
}

/** Takes an area off its mm's map and off the totals. */
export function detach(area: Vma): void {
  const { mm } = area;
  mm.areas.remove(area);
  mm.charge(-area.pages, (area.flags & VM_LOCKED) !== 0 ? -area.pages : 0);
}

/**
 * Clears the entries of detached areas and makes the areas unfindable (`unmap_region`). An area leaves the reverse
 * map only after its translations are flushed where it holds bare pfns: nobody else could tell the owner of those
 * that they are still in use (RV-02).
 */
export function* clearAreas(mm: Mm, areas: readonly Vma[], start: number, end: number): Sleepable<void> {
  const range = yield* mm.notifiers.begin(start, end, "unmap");
  const gather = new Gather(mm);
  for (const area of areas) yield* clearEntries(area, area.start, area.end, "even-cows", gather);
  yield* mm.notifiers.end(range);
  for (const area of areas) yield* unlink(area);
  yield* gather.finish();
  yield* mm.pageTableLock.lock();
  // Every table serves an area, or did until that was unmapped.
  for (const area of areas) mm.table.freeEmptyTables(area.start * mm.perPage, area.end * mm.perPage);
  mm.pageTableLock.unlock();
}

/** Takes an area out of the reverse map; nothing for one that shows no object. */
export function* unlink(area: Vma): Sleepable<void> {
  const { mapping } = area;
  if (mapping === undefined) return;
  yield* mapping.lock.write();
  mapping.unlink(area);
  mapping.lock.unlockWrite();
}
