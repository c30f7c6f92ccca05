import type { WaitMode } from "../sched/task.ts";
import type { Atomic, Sleepable } from "./execution.ts";

/**
 * Says whether a backing may be touched at present, and lets threads wait until it may (mail of 1998: the mapping is
 * disabled while DMA runs).
 *
 * Who closes it must zap the mappings afterwards, in this order: gate first, then zap. The other order leaves a
 * window in which a page is faulted in again. `MappingBinding.quiesce` keeps the order.
 *
 * Why that is enough: an entry is written only under the page-table lock, after a look at the gate under the same
 * lock. If the look came before the close, the entry stands before the zap takes that lock, and the zap removes it.
 * If it came after, the look sees the gate closed and nothing is written.
 */
export interface Gate {
  readonly name: string;
  /** Open; closed by somebody; or gone for good, because the device was removed. */
  readonly state: "open" | "closed" | "gone";
  /** Changes whenever the state does: an answer found under one number is not valid under another. */
  readonly sequence: number;
  /** Closes it once more; closings count, and it is open again when each has been undone. */
  close(): Atomic<void>;
  /** Undoes one `close`; the last one wakes everybody who waits. */
  open(): Atomic<void>;
  /** Closes it for good and wakes everybody who waits. */
  remove(): Atomic<void>;
  /** Announces a look at the gate and answers with its state. */
  look(): Atomic<"open" | "closed" | "gone">;
  /** Sleeps until it is not closed: 0, or -ERESTARTSYS when a signal that the mode allows came first. */
  waitUntilOpen(mode: WaitMode): Sleepable<number>;
}
