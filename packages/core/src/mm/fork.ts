import {
  isCopyOnWrite,
  VM_DONTCOPY,
  VM_LOCKED,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_SHARED,
} from "../contract/area-flags.ts";
import { ENOMEM } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Page } from "../contract/units.ts";
import { PG_anon, PG_anon_exclusive } from "../memory/page-flags.ts";
import { changeFlags, makePte, PTE_ACCESSED, PTE_DIRTY, PTE_LARGE, PTE_WRITE } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { allocateAnonymousPage, writableFlags } from "./anonymous-fault.ts";
import { callOpen } from "./area-hooks.ts";
import { flushCachedFrame, flushCacheRange } from "./cache-flush.ts";
import { leafPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import { alsoCounts } from "./page-points.ts";
import { flushTlbRange } from "./tlb-flush.ts";
import type { Vma } from "./vma.ts";
import { countedPage, rememberPage } from "./zap.ts";

/** A copy of an address space under a name of its own (`dup_mm`); or -ENOMEM, with nothing left of it. */
export function* duplicateMm(parent: Mm, name: string): Sleepable<Mm | number> {
  const { machine } = parent;
  const child = machine.tryCreateMm(name);
  if (child === undefined) return -ENOMEM;
  const result = yield* copyMm(parent, child);
  if (result === 0) return child;
  yield* machine.dropMm(child);
  return result;
}

/**
 * Makes `child` a copy of `parent` (`dup_mmap`): every area but those marked VM_DONTCOPY, in the order open, link into
 * the reverse map, copy entries (LC-03). Private pages become copy-on-write in both; pinned ones are copied at once, so
 * that the device stays with the parent (GP-04).
 *
 * @returns 0, or -ENOMEM: the caller drops the child, and every area that was opened is closed once (LC-05)
 */
function* copyMm(parent: Mm, child: Mm): Sleepable<number> {
  yield* parent.lock.write();
  yield* child.lock.write();
  child.hasPinned = false;
  flushCacheRange(parent, 0, parent.machine.geometry.userEnd);
  let result = 0;
  for (const area of parent.areas.all()) {
    if ((area.flags & VM_DONTCOPY) !== 0) continue;
    if (!parent.machine.mayAllocateArea()) {
      result = -ENOMEM;
      break;
    }
    const copy = area.duplicate(child, area.start, area.end, area.pgoff);
    copy.flags &= ~VM_LOCKED;
    yield* callOpen(copy);
    child.areas.insert(copy);
    child.charge(copy.pages, 0);
    if (copy.mapping !== undefined) {
      yield* copy.mapping.lock.write();
      copy.mapping.link(copy);
      copy.mapping.lock.unlockWrite();
    }
    if (mustCopyEntries(area)) result = yield* copyEntries(area, copy);
    if (result !== 0) break;
  }
  child.gapHint = parent.gapHint;
  yield* flushTlbRange(parent, 0, parent.machine.geometry.userEnd);
  child.lock.unlockWrite();
  parent.lock.unlockWrite();
  return result;
}

/** Whether faults could not make the child's entries again (`vma_needs_copy`, RE-11). */
function mustCopyEntries(area: Vma): boolean {
  return (area.flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0 || area.hasPrivateCopies;
}

function* copyEntries(source: Vma, copy: Vma): Sleepable<number> {
  const parent = source.mm;
  const child = copy.mm;
  const isCow = isCopyOnWrite(source.flags);
  const range = isCow
    ? yield* parent.notifiers.begin(source.start, source.end, "protection-page")
    : undefined;
  const last = source.end * parent.perPage;
  let vpn = source.start * parent.perPage;
  let result = 0;
  while (vpn < last && result === 0) {
    yield* parent.pageTableLock.lock();
    yield* child.pageTableLock.lock();
    const slot = parent.table.find(vpn);
    const { level } = parent.table;
    let end: number;
    if (slot < 0) {
      end = parent.table.endOfEntry(vpn, level);
    } else if (level > 0) {
      end = parent.table.endOfEntry(vpn, level);
      result = yield* copyLargeLeaf(source, copy, slot, vpn, level);
    } else {
      end = Math.min(last, parent.table.endOfLeafTable(vpn));
      result = yield* copyLeaves(source, copy, slot, vpn, end);
    }
    child.pageTableLock.unlock();
    parent.pageTableLock.unlock();
    vpn = end;
  }
  yield* parent.notifiers.end(range);
  return result;
}

/** Both go on with one leaf each. That of a private area lets no store through: a store takes its own page out of it. */
function* copyLargeLeaf(source: Vma, copy: Vma, slot: number, vpn: number, level: number): Atomic<number> {
  const { machine } = source.mm;
  const destination = copy.mm.table.ensure(vpn, level);
  if (destination < 0 || !copy.mm.table.deposit(level)) return -ENOMEM;
  if (machine.sched.interleaving) yield leafPoint(source.mm, vpn, level, Access.read);
  machine.writeEntry(
    copy.mm,
    destination,
    vpn,
    changeFlags(machine.tables.read(slot), PTE_ACCESSED, PTE_LARGE),
  );
  return 0;
}

function* copyLeaves(source: Vma, copy: Vma, slot: number, first: number, end: number): Atomic<number> {
  const { mm } = source;
  const { machine } = mm;
  const { sched } = machine;
  const isCow = isCopyOnWrite(source.flags);
  for (let vpn = first; vpn < end; vpn++) {
    const from = slot + vpn - first;
    if (machine.tables.read(from) === 0) continue;
    const destination = copy.mm.table.ensure(vpn, 0);
    if (destination < 0) return -ENOMEM;
    const page = countedPage(source, machine.tables.read(from));
    if (sched.interleaving) {
      // One step: a pin that comes between the look at the pins and the sharing would show (`page_needs_cow_for_dma`).
      yield alsoCounts(machine, leafPoint(mm, vpn, 0, Access.write), page, Access.write);
    }
    const entry = machine.tables.read(from);
    if (page !== undefined && isPinnedPrivate(mm, page)) {
      const result = yield* copyPinned(copy, page, destination, vpn);
      if (result !== 0) return result;
      continue;
    }
    if (page !== undefined && machine.reserved.dropsReference(page)) {
      if (!machine.memory.frames.tryGet(page)) return -ENOMEM;
      machine.memory.frames.clearFlags(page, PG_anon_exclusive);
      rememberPage(copy, page);
    } else if (page !== undefined) {
      // A reserved page of a legacy kernel: no reference and no rss, as its zap gives neither back (RS-03).
      machine.memory.frames.addMapping(page);
      machine.reserved.marks.copy(page);
    }
    let shared = entry;
    if (isCow && (entry & PTE_WRITE) !== 0) {
      shared = changeFlags(entry, PTE_WRITE, 0);
      machine.writeEntry(mm, from, vpn, shared);
    }
    const clean = (source.flags & VM_SHARED) !== 0 ? PTE_DIRTY : 0;
    machine.writeEntry(copy.mm, destination, vpn, changeFlags(shared, PTE_ACCESSED | clean, 0));
  }
  return 0;
}

/** Whether a device may write to this private page at any time, so that sharing it would show (`page_needs_cow_for_dma`). */
function isPinnedPrivate(mm: Mm, page: Page): boolean {
  const { frames } = mm.machine.memory;
  return mm.hasPinned && frames.hasFlags(page, PG_anon) && frames.pincount[page] > 0;
}

function* copyPinned(copy: Vma, page: Page, slot: number, vpn: number): Atomic<number> {
  const { machine } = copy.mm;
  const own = allocateAnonymousPage(copy);
  if (own === undefined) return -ENOMEM;
  if (machine.sched.interleaving) yield machine.sched.at(ObjectKind.frameContents, page, Access.read);
  flushCachedFrame(copy.mm, page);
  machine.memory.frames.copy(own, page);
  machine.stats.pagesCopied++;
  rememberPage(copy, own);
  machine.writeEntry(copy.mm, slot, vpn, makePte(own, writableFlags(copy)));
  return 0;
}
