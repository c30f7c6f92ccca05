import type { Mm } from "../mm/mm.ts";
import type { Atomic, MaySleep, Sleepable } from "./execution.ts";
import type { UserAddress } from "./units.ts";

/** Why translations of a range go away or change (`enum mmu_notifier_event`, 6.1; MN-15). */
export type InvalidateEvent =
  | "unmap"
  | "clear"
  | "protection-vma"
  | "protection-page"
  | "release"
  | "migrate";

/** A range of addresses whose translations are about to go: `[start, end)`. */
export interface InvalidateRange {
  readonly mm: Mm;
  readonly start: UserAddress;
  readonly end: UserAddress;
  readonly event: InvalidateEvent;
  /**
   * Whether the callback may sleep (the `atomic` flag of the 2008 skeleton, turned round). When not, it answers -EAGAIN,
   * or false in the interval form, if it would have to.
   */
  readonly blockable: boolean;
}

/**
 * Follows the page tables of one mm (`struct mmu_notifier_ops`): what a device with an MMU of its own needs in order
 * never to use a translation that the process has lost (skeleton of 2008).
 *
 * - `invalidateRangeBegin` is answered before any entry of the range is touched; from then until
 *   `invalidateRangeEnd` no secondary entry of the range may be made. While it runs, all pages still have a reference;
 *   at the end the VM may have dropped them. The end does not mean that CPU TLBs were flushed (RV-09).
 * - Begins and ends pair for each subscriber and nest; different ranges of one mm may be under way at once.
 * - `release` runs once, before the first page of the mm is freed; afterwards no secondary entry exists or is made.
 *   The notifier itself lives until `unregisterNotifier` has returned.
 * - No callback may take the mmap lock, drop the last use of the mm, unregister, or wait for anything that waits for
 *   the invalidation (MN-17).
 */
export interface MmuNotifier {
  readonly name: string;
  release?(mm: Mm): MaySleep<void>;
  /**
   * One page's entry was cleared, and the page-table lock is still held: atomic (2.6.27 to 4.12 `invalidate_page`; the call
   * site is `ptep_clear_flush_notify`). It lies between a begin and an end of its own.
   */
  invalidatePage?(mm: Mm, address: UserAddress): Atomic<void>;
  /**
   * Whether the device used the page since it was last asked (`clear_flush_young`). The page-table lock is held; the
   * device's own translation of the page is dropped, so that its next use is noticed.
   */
  wasAccessed?(mm: Mm, address: UserAddress): Atomic<boolean>;
  /** 0, or -EAGAIN when the range is not blockable and the callback would have to sleep. */
  invalidateRangeBegin?(range: InvalidateRange): MaySleep<number>;
  invalidateRangeEnd?(range: InvalidateRange): MaySleep<void>;
}

/**
 * Follows one range of one mm, with a sequence number instead of a count (`struct mmu_interval_notifier_ops`, 5.5
 * and later): ranges that do not overlap do not hold each other off.
 */
export interface IntervalNotifier {
  readonly name: string;
  /**
   * Translations in the range are about to go. It records `sequence` by `subscription.setSequence`, always, under the
   * lock that its populate path takes before `readRetry` (MN-06).
   *
   * @returns true; false when the range is not blockable and the callback would have to sleep
   */
  invalidate(range: InvalidateRange, subscription: IntervalSubscription, sequence: number): MaySleep<boolean>;
}

/** One followed range, as `insertInterval` answers with it (`struct mmu_interval_notifier`). */
export interface IntervalSubscription {
  readonly start: UserAddress;
  readonly end: UserAddress;
  /** `mmu_interval_read_begin`: waits until no invalidation that hit this range runs, and answers with a number to check. */
  readBegin(): Sleepable<number>;
  /**
   * The same without waiting: undefined while one runs. It is what `mmu_interval_read_begin` looks at before it sleeps;
   * Linux exports no function for it.
   */
  tryReadBegin(): Atomic<number | undefined>;
  /** `mmu_interval_read_retry`: whether an invalidation came since; then what was looked up is thrown away. */
  readRetry(sequence: number): Atomic<boolean>;
  /** `mmu_interval_set_seq`. */
  setSequence(sequence: number): Atomic<void>;
  /** `mmu_interval_notifier_remove`: when it returns no callback runs any more or will run. Not from a callback. */
  remove(): Sleepable<void>;
}
