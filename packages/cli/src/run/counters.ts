import type { Machine } from "@nopage/core";

/** What the machine counted during one stretch of a run. */
export interface Counters {
  readonly faults: number;
  /** Entries of page tables that were written. */
  readonly pteWrites: number;
  /** TLB flushes on the CPU that asked for them. */
  readonly tlbFlushes: number;
  /** TLB flushes that one CPU made another do. */
  readonly tlbShootdowns: number;
  /** The most page-table and TLB operations without a preemption point. */
  readonly longestAtomic: number;
  /** Virtual nanoseconds. */
  readonly elapsedNs: number;
}

/** Starts to count; what the machine did before is left out. */
export function startCounting(machine: Machine): () => Counters {
  const { sched, stats, tables } = machine;
  const { faults, tlbFlushes, tlbShootdowns } = stats;
  const { writes } = tables;
  const start = sched.now;
  sched.longestAtomic = 0;
  return () => ({
    faults: stats.faults - faults,
    pteWrites: tables.writes - writes,
    tlbFlushes: stats.tlbFlushes - tlbFlushes,
    tlbShootdowns: stats.tlbShootdowns - tlbShootdowns,
    longestAtomic: sched.longestAtomic,
    elapsedNs: sched.now - start,
  });
}
