import { VM_SHARED, VM_WRITE } from "../contract/area-flags.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Page } from "../contract/units.ts";
import { owners } from "../memory/owners.ts";
import { PG_anon, PG_anon_exclusive } from "../memory/page-flags.ts";
import { makePte, PTE_DIRTY, PTE_SPECIAL, PTE_WRITE } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { FaultResult } from "./fault-result.ts";
import type { Vma } from "./vma.ts";
import { rememberPage } from "./zap.ts";

/**
 * First touch of private memory (`do_anonymous_page`): a load shows the page of zeros, which is counted nowhere; a
 * store gets a page of its own.
 */
export function* anonymousFault(area: Vma, base: number, access: "read" | "write"): Sleepable<FaultResult> {
  const { mm } = area;
  const { machine, table } = mm;
  const vpn = base * mm.perPage;
  let page: Page | undefined;
  if (access === "write") {
    page = allocateAnonymousPage(area);
    if (page === undefined) return "oom";
    machine.memory.frames.clear(page);
  }
  yield* mm.pageTableLock.lock();
  const slot = table.ensure(vpn, 0);
  if (slot < 0) {
    mm.pageTableLock.unlock();
    if (page !== undefined) yield* machine.putPage(page);
    return "oom";
  }
  if (machine.sched.interleaving) {
    yield machine.sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn), Access.write);
  }
  const isTaken = machine.tables.read(slot) !== 0;
  if (!isTaken) {
    if (page === undefined) {
      machine.writeEntry(
        mm,
        slot,
        vpn,
        makePte(machine.zeroPage, (area.pteFlags() & ~PTE_WRITE) | PTE_SPECIAL),
      );
    } else {
      rememberPage(area, page);
      machine.writeEntry(mm, slot, vpn, makePte(page, writableFlags(area)));
    }
  }
  mm.pageTableLock.unlock();
  if (isTaken && page !== undefined) yield* machine.putPage(page);
  return "done";
}

/** A page for this area alone, its contents undefined; undefined when there is no memory. */
export function allocateAnonymousPage(area: Vma): Page | undefined {
  const { machine } = area.mm;
  const page = machine.memory.pages.allocPage(owners.anon);
  if (page === undefined) return undefined;
  machine.memory.frames.setFlags(page, PG_anon | PG_anon_exclusive);
  area.prepareLineage();
  return page;
}

/** The flags of the entry of a private page that was just written: writable if the area is (`maybe_mkwrite`). */
export function writableFlags(area: Vma): number {
  const writable = (area.flags & VM_WRITE) !== 0 && (area.flags & VM_SHARED) === 0;
  return area.pteFlags() | PTE_DIRTY | (writable ? PTE_WRITE : 0);
}
