import type { Trap, VirtualNs } from "@nopage/core/contract";

/** What one thread met when it touched the mapped region. */
export class TouchRecord {
  /** Loads of the region. */
  touches = 0;
  /** Loads that took virtual time: the thread slept at the gate. */
  waits = 0;
  longestWaitNs: VirtualNs = 0;
  totalWaitNs: VirtualNs = 0;
  sigbus = 0;
  /** Any other signal: there should be none. */
  otherTraps = 0;
  /** Looks that found something else than what the card must show there. */
  wrongValues = 0;

  /** A load that ended with a value after `waited` ns. */
  addValue(waited: VirtualNs): void {
    this.touches++;
    if (waited === 0) return;
    this.waits++;
    this.totalWaitNs += waited;
    this.longestWaitNs = Math.max(this.longestWaitNs, waited);
  }

  addTrap(trap: Trap): void {
    this.touches++;
    if (trap.signal === "SIGBUS") this.sigbus++;
    else this.otherTraps++;
  }

  /** All records of a run in one. */
  static sum(records: readonly TouchRecord[]): TouchRecord {
    const total = new TouchRecord();
    for (const record of records) {
      total.touches += record.touches;
      total.waits += record.waits;
      total.longestWaitNs = Math.max(total.longestWaitNs, record.longestWaitNs);
      total.totalWaitNs += record.totalWaitNs;
      total.sigbus += record.sigbus;
      total.otherTraps += record.otherTraps;
      total.wrongValues += record.wrongValues;
    }
    return total;
  }
}
