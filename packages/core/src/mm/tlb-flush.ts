import type { Atomic } from "../contract/execution.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Mm } from "./mm.ts";

/**
 * Drops the translations of `[start, end)` from every TLB that may hold any (`flush_tlb_range`). Each remote CPU is
 * a shoot-down and a step of its own, so others can still hit their stale entries before their turn comes.
 */
export function* flushTlbRange(mm: Mm, start: number, end: number): Atomic<void> {
  const { sched, tlbs, stats, log } = mm.machine;
  const here = sched.current?.cpu ?? -1;
  for (let cpu = 0; cpu < tlbs.length; cpu++) {
    if ((mm.cpus & (1 << cpu)) === 0) continue;
    if (sched.interleaving) yield sched.at(ObjectKind.tlb, cpu, Access.write);
    const tlb = tlbs[cpu];
    if (tlb.space !== mm.id) continue;
    tlb.flushRange(start, end);
    sched.countAtomic(1);
    if (cpu === here) stats.tlbFlushes++;
    else stats.tlbShootdowns++;
    if (log.enabled) log.record(cpu === here ? "tlb-flush" : "tlb-shootdown", cpu, start, end);
  }
}
