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
  /** Of those, the ones that came after a wait: the thread was woken because the device is gone. */
  woken = 0;
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

  /** A load that ended in a signal after `waited` ns. */
  addTrap(trap: Trap, waited: VirtualNs): void {
    this.touches++;
    if (trap.signal !== "SIGBUS") this.otherTraps++;
    else {
      this.sigbus++;
      if (waited > 0) this.woken++;
    }
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
      total.woken += record.woken;
      total.otherTraps += record.otherTraps;
      total.wrongValues += record.wrongValues;
    }
    return total;
  }
}
