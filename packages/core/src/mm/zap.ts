import { VM_MIXEDMAP, VM_PFNMAP } from "../contract/area-flags.ts";
import type { Atomic, Point, Sleepable } from "../contract/execution.ts";
import type { InvalidateEvent } from "../contract/mmu-notifier.ts";
import type { Page } from "../contract/units.ts";
import { PG_anon } from "../memory/page-flags.ts";
import { PTE_DIRTY, PTE_SPECIAL, ptePfn } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { flushCacheRange } from "./cache-flush.ts";
import { leafPoint } from "./entry-points.ts";
import { Gather } from "./gather.ts";
import { alsoCounts } from "./page-points.ts";
import { splitLeaf } from "./split.ts";
import type { Vma } from "./vma.ts";

/** Whether private copies go as well, or only what is shared with the object. */
export type ZapReach = "even-cows" | "shared-only";

/**
 * Removes every entry of `[start, end)` in one area (`zap_page_range_single`): between a notifier's begin and end,
 * with TLBs flushed and references dropped when it returns. It does not keep new faults away.
 */
export function* zapRange(
  area: Vma,
  start: number,
  end: number,
  reach: ZapReach,
  event: InvalidateEvent,
): Sleepable<void> {
  const { mm } = area;
  const range = yield* mm.notifiers.begin(start, end, event);
  const gather = new Gather(mm);
  yield* clearEntries(area, start, end, reach, gather);
  yield* mm.notifiers.end(range);
  yield* gather.finish();
  mm.machine.log.record("zap", mm.id, start, end);
}

/**
 * `zap_vma_ptes`: for a driver that takes its own pfn mapping away. Does nothing, and says nothing, unless the area
 * is VM_PFNMAP and contains the range (RV-07).
 */
export function* zapVma(area: Vma, start: number, end: number): Sleepable<void> {
  if ((area.flags & VM_PFNMAP) === 0 || start < area.start || end > area.end) return;
  yield* zapRange(area, start, end, "even-cows", "clear");
}

/**
 * Clears the entries of `[start, end)` (`unmap_page_range`), one page-table-lock section a leaf table; between
 * sections the task may be preempted. What they held goes to `gather`, which is flushed before an area is left that may
 * hold bare pfns (RV-02).
 */
export function* clearEntries(
  area: Vma,
  start: number,
  end: number,
  reach: ZapReach,
  gather: Gather,
): Sleepable<void> {
  const { mm } = area;
  const { sched } = mm.machine;
  const { table, pageTableLock, perPage } = mm;
  const last = end * perPage;
  yield* gather.begin();
  flushCacheRange(mm, start, end);
  let vpn = start * perPage;
  while (vpn < last) {
    if (sched.interleaving) yield pageTableLock.announceLock();
    pageTableLock.take();
    const slot = table.find(vpn);
    let next: number;
    if (slot < 0) {
      next = table.endOfEntry(vpn, table.level);
    } else if (table.level > 0) {
      next = yield* clearLargeLeaf(area, vpn, last, slot, gather);
    } else {
      next = Math.min(last, table.endOfLeafTable(vpn));
      yield* clearLeafTable(area, vpn, next - vpn, slot, reach, gather);
    }
    pageTableLock.unlock();
    vpn = next;
  }
  if ((area.flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0) yield* gather.flush();
}

/**
 * Clears a large leaf if all of it lies inside `[vpn, last)`; otherwise splits it, so that what is outside stays
 * (`zap_pmd_range`). Answers where to go on.
 */
function* clearLargeLeaf(area: Vma, vpn: number, last: number, slot: number, gather: Gather): Atomic<number> {
  const { mm } = area;
  const { machine, table, pageSize } = mm;
  const { level } = table;
  const end = table.endOfEntry(vpn, level);
  const first = end - table.pagesAt(level);
  if (vpn > first || end > last) {
    yield* splitLeaf(mm, vpn);
    return vpn;
  }
  if (machine.sched.interleaving) yield leafPoint(mm, vpn, level, Access.write);
  gather.showed(table.pool.read(slot), end - first);
  table.pool.write(slot, 0);
  table.withdraw(level);
  machine.sched.countAtomic(1);
  gather.cleared(first * pageSize, end * pageSize);
  machine.log.record("pte-clear", mm.id, first, end - first);
  return end;
}

function* clearLeafTable(
  area: Vma,
  vpn: number,
  count: number,
  slot: number,
  reach: ZapReach,
  gather: Gather,
): Atomic<void> {
  const { mm } = area;
  const { machine, table, pageSize } = mm;
  const { sched, log } = machine;
  // Nobody comes between the flush of the data cache and that of the TLBs here, so that one of the former is enough.
  if (!sched.interleaving && (area.flags & VM_PFNMAP) !== 0 && !area.hasPrivateCopies) {
    const cleared = table.clear(slot, count);
    if (cleared > 0) {
      sched.countAtomic(cleared);
      gather.cleared(vpn * pageSize, (vpn + count) * pageSize);
      log.record("pte-clear", mm.id, vpn, count);
    }
    return;
  }
  for (let index = 0; index < count; index++) {
    if (table.pool.read(slot + index) === 0) continue;
    if (sched.interleaving) yield clearPoint(area, vpn + index, table.pool.read(slot + index));
    const entry = table.pool.read(slot + index);
    const page = countedPage(area, entry);
    if (page !== undefined && reach === "shared-only" && machine.memory.frames.hasFlags(page, PG_anon))
      continue;
    table.pool.write(slot + index, 0);
    sched.countAtomic(1);
    if (page !== undefined) {
      forgetPage(area, page, entry);
      // Decided here, as in `zap_pte_range` of 2.6.11: the flag may change until the flush.
      if (machine.reserved.dropsReference(page)) gather.add(page);
      else machine.reserved.marks.spare(page);
    }
    const address = (vpn + index) * pageSize;
    gather.cleared(address, address + pageSize);
    gather.showed(entry, 1);
    log.record("pte-clear", mm.id, vpn + index, 1);
  }
}

/** Announces that an entry is cleared and its page taken off the books; which page that is stands fast under the lock. */
function clearPoint(area: Vma, vpn: number, entry: number): Point {
  const { machine } = area.mm;
  // What unmapping leaves of a reserved page of old is more than a count less; see `ReservedMarks`.
  const access = machine.reserved.rules === "6.1" ? Access.countUp : Access.write;
  return alsoCounts(machine, leafPoint(area.mm, vpn, 0, Access.write), countedPage(area, entry), access);
}

/** The page that an entry counts (`vm_normal_page`): undefined for an empty or a special one. */
export function countedPage(area: Vma, entry: number): Page | undefined {
  if (entry === 0 || (entry & PTE_SPECIAL) !== 0) return undefined;
  return area.mm.machine.memory.frames.pageOf(ptePfn(entry));
}

/** Takes one mapping of a counted page off the books (`page_remove_rmap`, `dec_mm_counter`). */
export function forgetPage(area: Vma, page: Page, entry: number): void {
  const { mm } = area;
  const { frames } = mm.machine.memory;
  const isAnonymous = frames.hasFlags(page, PG_anon);
  if (!isAnonymous && (entry & PTE_DIRTY) !== 0) frames.markDirty(page);
  if (mm.machine.reserved.countsInRss(page, "zap")) {
    mm.machine.sched.note(ObjectKind.cell, mm.rssCell, Access.countUp);
    if (isAnonymous) mm.rssAnon--;
    else mm.rssFile--;
  }
  frames.removeMapping(page);
}

/** Puts one mapping of a counted page on the books (`page_add_file_rmap`, `page_add_anon_rmap`, `inc_mm_counter`). */
export function rememberPage(area: Vma, page: Page): void {
  const { mm } = area;
  const { frames } = mm.machine.memory;
  if (mm.machine.reserved.countsInRss(page, "map")) {
    mm.machine.sched.note(ObjectKind.cell, mm.rssCell, Access.countUp);
    if (frames.hasFlags(page, PG_anon)) mm.rssAnon++;
    else mm.rssFile++;
  }
  frames.addMapping(page);
}
