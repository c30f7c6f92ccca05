import type { Atomic } from "../contract/execution.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Mm } from "./mm.ts";

/**
 * Drops the translations of `[start, end)` from every TLB that may hold any (`flush_tlb_range`). Each remote CPU is
 * a shoot-down and a step of its own, so others can still hit their stale entries before their turn comes.
 */
export function* flushTlbRange(mm: Mm, start: number, end: number): Atomic<void> {
  const { sched, tlbs, stats, log } = mm.machine;
  const here = sched.running.cpu;
  for (let cpu = 0; cpu < tlbs.length; cpu++) {
    if (sched.interleaving) yield sched.asFound({ announce: () => announceFlush(mm, cpu) });
    if (!serves(mm, cpu)) continue;
    tlbs[cpu].flushRange(start, end);
    sched.countAtomic(1);
    if (cpu === here) stats.tlbFlushes++;
    else stats.tlbShootdowns++;
    if (log.enabled) log.record(cpu === here ? "tlb-flush" : "tlb-shootdown", cpu, start, end);
  }
}

/** Whether the TLB of a CPU may hold translations of the mm. */
function serves(mm: Mm, cpu: number): boolean {
  return (mm.cpus & (1 << cpu)) !== 0 && mm.machine.tlbs[cpu].space === mm.id;
}

/** Announces a flush of one TLB: a look at whom it serves, or a write when that is this mm. */
function announceFlush(mm: Mm, cpu: number): void {
  mm.machine.sched.at(ObjectKind.tlb, cpu, serves(mm, cpu) ? Access.write : Access.read);
}
