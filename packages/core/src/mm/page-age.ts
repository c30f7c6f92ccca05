import type { Sleepable } from "../contract/execution.ts";
import { changeFlags, PTE_ACCESSED } from "../mmu/pte.ts";
import { Access } from "../sched/points.ts";
import { entryPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import { flushTlbRange } from "./tlb-flush.ts";

/**
 * Whether the page at an address was used since this was last asked, by a CPU or by a device that follows the mm
 * (`ptep_clear_flush_young_notify`, from `page_referenced_one`): what reclaim wants to know. The accessed bit is cleared
 * and the TLBs are flushed, so that the next use sets it again.
 */
export function* pageWasAccessed(mm: Mm, address: number): Sleepable<boolean> {
  const { machine, table } = mm;
  const { sched } = machine;
  const base = address - (address % mm.pageSize);
  const vpn = base * mm.perPage;
  yield* mm.lock.read();
  yield* mm.pageTableLock.lock();
  if (sched.interleaving) yield entryPoint(mm, vpn, Access.write);
  const slot = table.find(vpn);
  const entry = slot < 0 ? 0 : table.pool.read(slot);
  let accessed = (entry & PTE_ACCESSED) !== 0;
  if (accessed) {
    machine.writeEntry(mm, slot, vpn, changeFlags(entry, PTE_ACCESSED, 0));
    yield* flushTlbRange(mm, base, base + mm.pageSize);
  }
  if (entry !== 0 && (yield* mm.notifiers.wasAccessed(base))) accessed = true;
  mm.pageTableLock.unlock();
  mm.lock.unlockRead();
  return accessed;
}
