import type { Sleepable } from "../contract/execution.ts";
import type { Tlb } from "../mmu/tlb.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { callClose } from "./area-hooks.ts";
import type { Mm } from "./mm.ts";
import { clearAreas, detach } from "./munmap.ts";

/**
 * Takes an address space down once nobody uses it any more (`exit_mmap`), in Linux's order (LC-19): followers let go,
 * then all entries go and their pages with them, then each area is closed. The process's files are released only
 * afterwards, by the caller: that order is the problem of the KHG question of 1998.
 */
export function* exitMmap(mm: Mm): Sleepable<void> {
  const { machine } = mm;
  yield* mm.notifiers.release();
  yield* mm.lock.write();
  const areas = mm.areas.all();
  for (const area of areas) detach(area);
  yield* clearAreas(mm, areas, 0, machine.geometry.userEnd);
  for (const area of areas) yield* callClose(area);
  mm.lock.unlockWrite();
  for (let cpu = 0; cpu < machine.tlbs.length; cpu++) {
    const tlb = machine.tlbs[cpu] as Tlb;
    // Nobody is left who could make a CPU translate for this mm.
    if (tlb.space !== mm.id) continue;
    machine.sched.note(ObjectKind.tlb, cpu, Access.write);
    tlb.switchTo(0);
  }
  mm.table.destroy();
}
