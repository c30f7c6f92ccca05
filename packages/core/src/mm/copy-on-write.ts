import { VM_WRITE } from "../contract/area-flags.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Page, UserAddress } from "../contract/units.ts";
import { PG_anon, PG_anon_exclusive } from "../memory/page-flags.ts";
import { changeFlags, makePte, PTE_DIRTY, PTE_WRITE, ptePfn } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { allocateAnonymousPage, writableFlags } from "./anonymous-fault.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import { entryPoint } from "./entry-points.ts";
import type { FaultResult } from "./fault-result.ts";
import { askToWrite } from "./mkwrite.ts";
import { alsoCounts } from "./page-points.ts";
import { splitDownTo } from "./split.ts";
import { flushTlbRange } from "./tlb-flush.ts";
import type { Vma } from "./vma.ts";
import { countedPage, forgetPage, rememberPage } from "./zap.ts";

/** A fault where an entry is present (`handle_pte_fault`): somebody was faster, or a store met a read-only entry. */
export function* presentFault(
  area: Vma,
  base: number,
  entry: number,
  access: "read" | "write",
): Sleepable<FaultResult> {
  if (access === "read" || (entry & PTE_WRITE) !== 0) return "done";
  if (area.isShared && ptePfn(entry) !== area.mm.machine.zeroPage)
    return yield* makeWritable(area, base, entry);
  const page = countedPage(area, entry);
  return page === undefined
    ? yield* replaceByCopy(area, base, entry, undefined)
    : yield* reuseOrCopy(area, base, entry, page);
}

/**
 * A store to a private page (`do_wp_page`): whether it is this mapping's alone is decided under the page-table lock, in
 * one step with making it writable (`wp_page_reuse`) or with holding it to be copied. A reference that comes or goes
 * before or after that step finds the decision made.
 */
function* reuseOrCopy(area: Vma, base: number, entry: number, page: Page): Sleepable<FaultResult> {
  const { mm } = area;
  const { machine } = mm;
  const { frames } = machine.memory;
  const vpn = base * mm.perPage;
  yield* mm.pageTableLock.lock();
  if (machine.sched.interleaving) {
    yield alsoCounts(machine, entryPoint(mm, vpn, Access.write), page, Access.write);
  }
  const isUnchanged = sameFrame(mm.table.entryOf(vpn), entry);
  const isOwn = isUnchanged && isExclusive(area, page);
  if (isOwn) {
    frames.setFlags(page, PG_anon_exclusive);
    letStoresThrough(area, vpn);
  }
  const isHeld = isUnchanged && !isOwn && frames.tryGet(page);
  mm.pageTableLock.unlock();
  return isHeld ? yield* replaceByCopy(area, base, entry, page) : "done";
}

/**
 * Whether a private page belongs to this mapping alone, so that it may be written in place. One that is marked as such has a
 * dirty entry, which lets stores through wherever the area does, so that no store to it comes here.
 */
function isExclusive(area: Vma, page: Page): boolean {
  const { frames } = area.mm.machine.memory;
  return frames.hasFlags(page, PG_anon) && frames.refcount[page] === 1;
}

/** A store to a shared read-only entry: the driver is asked first (`wp_page_shared`, `wp_pfn_shared`). */
function* makeWritable(area: Vma, base: number, entry: number): Sleepable<FaultResult> {
  const refusal = yield* askToWrite(area, {
    area,
    address: base as UserAddress,
    pgoff: area.pgoffOf(base),
    access: "write",
    gate: area.backing?.gate.state ?? "open",
    mayRetry: false,
  });
  return refusal ?? (yield* setWritable(area, base, entry));
}

function* setWritable(area: Vma, base: number, entry: number): Sleepable<FaultResult> {
  const { mm } = area;
  const { machine } = mm;
  const vpn = base * mm.perPage;
  yield* mm.pageTableLock.lock();
  if (machine.sched.interleaving) yield entryPoint(mm, vpn, Access.write);
  if (sameFrame(mm.table.entryOf(vpn), entry)) letStoresThrough(area, vpn);
  mm.pageTableLock.unlock();
  return "done";
}

/** Makes the entry that maps `vpn` writable if the area is (`maybe_mkwrite`), in a step that was announced. */
function letStoresThrough(area: Vma, vpn: number): void {
  const { mm } = area;
  const { machine } = mm;
  const slot = mm.table.find(vpn);
  const writable = (area.flags & VM_WRITE) !== 0 ? PTE_WRITE | PTE_DIRTY : PTE_DIRTY;
  machine.writeEntry(mm, slot, vpn, changeFlags(machine.tables.read(slot), 0, writable));
}

/**
 * Gives the writer a page of its own in place of what is mapped (`wp_page_copy`): a page shared since fork, an object's
 * page mapped privately, the page of zeros, or a private mapping of bare pfns (RE-12).
 *
 * A counted page, `old`, is held by the caller, whose reference goes here: were it freed and handed out anew while it is
 * copied, the entry could look unchanged around a copy of what it no longer maps. What nobody counts is copied under the
 * page-table lock, while its entry stands: once its owner has zapped it, it is not read any more.
 */
export function* replaceByCopy(
  area: Vma,
  base: number,
  entry: number,
  old: Page | undefined,
): Sleepable<FaultResult> {
  const { mm } = area;
  const { machine } = mm;
  const { sched } = machine;
  const copy = allocateAnonymousPage(area);
  if (copy === undefined) {
    if (old !== undefined) yield* machine.putPage(old);
    return "oom";
  }
  if (old !== undefined) yield* copyContents(area, copy, entry);
  const vpn = base * mm.perPage;
  const range = yield* mm.notifiers.begin(base, base + mm.pageSize, "clear");
  yield* mm.pageTableLock.lock();
  if (sched.interleaving) yield entryPoint(mm, vpn, Access.write);
  if (sameFrame(mm.table.entryOf(vpn), entry)) {
    if (old === undefined) {
      yield* splitDownTo(mm, vpn);
      yield* copyContents(area, copy, entry);
      if (sched.interleaving) yield entryPoint(mm, vpn, Access.write);
    }
    const slot = mm.table.find(vpn);
    machine.writeEntry(mm, slot, vpn, 0);
    yield* flushTlbRange(mm, base, base + mm.pageSize);
    // What was read through the old entry since it was copied must not outlive it in the cache.
    flushCachedFrame(mm, ptePfn(entry));
    yield* mm.notifiers.pageCleared(base);
    if (sched.interleaving) {
      yield alsoCounts(machine, entryPoint(mm, vpn, Access.write), old, Access.countUp);
    }
    if (old !== undefined) forgetPage(area, old, entry);
    rememberPage(area, copy);
    machine.writeEntry(mm, slot, vpn, makePte(copy, writableFlags(area)));
    mm.pageTableLock.unlock();
    yield* mm.notifiers.end(range);
    if (old === undefined) return "done";
    yield* machine.putPage(old);
    yield* machine.putPage(old);
    return "done";
  }
  mm.pageTableLock.unlock();
  yield* mm.notifiers.end(range);
  yield* machine.putPage(copy);
  if (old !== undefined) yield* machine.putPage(old);
  return "done";
}

function* copyContents(area: Vma, copy: Page, entry: number): Atomic<void> {
  const { machine } = area.mm;
  const { sched, memory } = machine;
  const source = ptePfn(entry);
  if (sched.interleaving) {
    const window = memory.frames.isRam(source) ? undefined : memory.io.find(source);
    yield window === undefined
      ? sched.at(ObjectKind.frameContents, source, Access.read)
      : sched.at(ObjectKind.register, window.registerFile, Access.write);
  }
  flushCachedFrame(area.mm, source);
  memory.copyFrame(copy, source);
  machine.stats.pagesCopied++;
}

/** Whether two entries map the same frame with the same right to store; accessed and dirty bits may differ. */
function sameFrame(one: number, other: number): boolean {
  return one !== 0 && ptePfn(one) === ptePfn(other) && (one & PTE_WRITE) === (other & PTE_WRITE);
}
