/** Counters of a machine since it was built; page-table writes are counted by the table pool. */
export class Stats {
  /** Faults resolved at the first try. */
  minorFaults = 0;
  /** Faults resolved after a wait. */
  majorFaults = 0;
  /** Faults that ended in a signal. */
  failedFaults = 0;
  /** TLB flushes on the CPU that asked for them. */
  tlbFlushes = 0;
  /** TLB flushes that one CPU made another do. */
  tlbShootdowns = 0;
  /** Pages copied for a writer. */
  pagesCopied = 0;

  /** Faults of every kind. */
  get faults(): number {
    return this.minorFaults + this.majorFaults + this.failedFaults;
  }
}
