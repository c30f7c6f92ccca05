import { isCopyOnWrite, VM_MIXEDMAP, VM_PFNMAP } from "../contract/area-flags.ts";
import { EBUSY, EFAULT, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { installed, oom, type PfnOutcome, sigbus } from "../contract/outcome.ts";
import type { Page, Pfn } from "../contract/units.ts";
import { NO_TABLE_MEMORY } from "../mmu/page-table.ts";
import { makePte, PTE_SPECIAL } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import { alsoCounts, countsPoint } from "./page-points.ts";
import type { Vma } from "./vma.ts";
import { rememberPage } from "./zap.ts";

/**
 * Writes a special entry for one frame: nothing is counted (`vmf_insert_pfn`). An occupied slot keeps what it holds
 * and counts as success (PF-03).
 *
 * It does not look at any gate: a hook that uses it answers for the race between its own look and this write.
 *
 * @returns `installed`; `sigbus` outside the area or for a frame that the area may not show; `oom`
 */
export function* insertPfn(area: Vma, address: number, pfn: Pfn): Sleepable<PfnOutcome> {
  const { mm } = area;
  const { machine } = mm;
  if (!mayShowPfn(area, pfn)) return sigbus;
  if (address < area.start || address >= area.end) return sigbus;
  const flags = area.pteFlags() | PTE_SPECIAL;
  yield* mm.pageTableLock.lock();
  const vpn = Math.floor(address * mm.perPage);
  const slot = mm.table.ensure(vpn, 0);
  if (slot < 0) {
    mm.pageTableLock.unlock();
    return slot === NO_TABLE_MEMORY ? oom : installed;
  }
  if (machine.sched.interleaving)
    yield machine.sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn), Access.write);
  flushCachedFrame(mm, pfn);
  if (mm.table.pool.read(slot) === 0) machine.writeEntry(mm, slot, vpn, makePte(pfn, flags));
  mm.pageTableLock.unlock();
  return installed;
}

/**
 * Whether an area may show a bare pfn (PF-01): exactly one of VM_PFNMAP and VM_MIXEDMAP, not copy-on-write under
 * VM_PFNMAP, and no pfn with a struct page under VM_MIXEDMAP. Linux has a BUG here, so a breach is reported.
 */
export function mayShowPfn(area: Vma, pfn: Pfn): boolean {
  if (fitsArea(area, pfn)) return true;
  reportBarePfn(area, pfn);
  return false;
}

/** The same, and a breach is told to nobody. */
export function fitsArea(area: Vma, pfn: Pfn): boolean {
  const { machine } = area.mm;
  if (!Number.isSafeInteger(pfn) || pfn < 0 || pfn >= machine.pfnLimit) return false;
  const special = area.flags & (VM_PFNMAP | VM_MIXEDMAP);
  if (special === VM_MIXEDMAP) return !machine.memory.frames.hasPage(pfn);
  return special === VM_PFNMAP && !isCopyOnWrite(area.flags);
}

/** Tells which rule a bare pfn breaks; one beyond the physical addresses breaks none. */
function reportBarePfn(area: Vma, pfn: Pfn): void {
  const { violations, memory } = area.mm.machine;
  const special = area.flags & (VM_PFNMAP | VM_MIXEDMAP);
  if (!Number.isSafeInteger(pfn) || pfn < 0) {
    violations.report("page-kind", `${String(pfn)} is inserted into ${area}, which is no frame number`, {
      object: String(area),
    });
  } else if (special === 0 || special === (VM_PFNMAP | VM_MIXEDMAP)) {
    const what = `a pfn is inserted into ${area}, which needs one of VM_PFNMAP and VM_MIXEDMAP`;
    violations.report("area-rule", what, { object: String(area) });
  } else if (special === VM_PFNMAP && isCopyOnWrite(area.flags)) {
    violations.report("area-rule", `a pfn is inserted into ${area}, which is copy-on-write`, {
      object: String(area),
    });
  } else if (special === VM_MIXEDMAP && memory.frames.hasPage(pfn)) {
    const what = `pfn ${pfn} with a struct page is inserted as a bare pfn into ${area}`;
    violations.report("page-kind", what, { frame: pfn });
  }
}

/**
 * Maps one counted page: VM_MIXEDMAP, one reference and one page of rss more (`vm_insert_page`).
 *
 * @returns 0; -EFAULT outside the area; -EINVAL for a page that may not be mapped; -EBUSY for an occupied slot;
 *   -ENOMEM
 */
export function* insertPage(area: Vma, address: number, page: Page): Sleepable<number> {
  const { mm } = area;
  const { machine } = mm;
  const { frames } = machine.memory;
  if (address < area.start || address >= area.end) return -EFAULT;
  if (machine.sched.interleaving) yield countsPoint(machine, page, Access.read);
  if (!frames.mayBeMapped(page)) return -EINVAL;
  if ((area.flags & VM_MIXEDMAP) === 0) {
    if (!mm.lock.isWrittenByCurrent || (area.flags & VM_PFNMAP) !== 0) {
      machine.violations.report(
        "area-rule",
        `insertPage into ${area} would have to change its flags, which is too late`,
        { object: String(area) },
      );
      return -EINVAL;
    }
    area.flags |= VM_MIXEDMAP;
  }
  yield* mm.pageTableLock.lock();
  const result = yield* fillSlot(area, address, page);
  mm.pageTableLock.unlock();
  return result;
}

function* fillSlot(area: Vma, address: number, page: Page): Sleepable<number> {
  const { mm } = area;
  const { machine } = mm;
  const vpn = Math.floor(address * mm.perPage);
  const slot = mm.table.ensure(vpn, 0);
  if (slot < 0) return slot === NO_TABLE_MEMORY ? -ENOMEM : -EBUSY;
  // One step looks at the entry, takes the reference and writes the entry, so that it meets whoever walks to it.
  if (machine.sched.interleaving) {
    const point = machine.sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn), Access.write);
    yield alsoCounts(machine, point, page, Access.countUp);
  }
  if (mm.table.pool.read(slot) !== 0) return -EBUSY;
  if (!machine.memory.frames.tryGet(page)) return -ENOMEM;
  rememberPage(area, page);
  flushCachedFrame(mm, page);
  machine.writeEntry(mm, slot, vpn, makePte(page, area.pteFlags()));
  return 0;
}
