import type { Machine } from "../machine.ts";

/** Whose faults are counted: a user thread, as getrusage shows it. */
export interface FaultTaker {
  minorFaults: number;
  majorFaults: number;
}

/** Counts a resolved fault: minor at the first try, major after a wait (`mm_account_fault`, FR-13). */
export function countFault(machine: Machine, taker: FaultTaker | undefined, kind: "minor" | "major"): void {
  const { stats } = machine;
  if (kind === "minor") {
    stats.minorFaults++;
    if (taker !== undefined) taker.minorFaults++;
  } else {
    stats.majorFaults++;
    if (taker !== undefined) taker.majorFaults++;
  }
}

/** Counts a fault of a user thread that was resolved at the first try. */
export function countMinorFault(machine: Machine, taker: FaultTaker): void {
  machine.stats.minorFaults++;
  taker.minorFaults++;
}

/** The user thread on whose behalf the kernel runs, which pays for the faults that the kernel takes for it. */
export function currentFaultTaker(machine: Machine): FaultTaker | undefined {
  const owner = machine.sched.current?.owner;
  return owner !== undefined && "minorFaults" in owner ? (owner as FaultTaker) : undefined;
}
