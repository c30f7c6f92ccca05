import type { Mm } from "../mm/mm.ts";
import type { Atomic, MaySleep } from "./execution.ts";
import type { UserAddress } from "./units.ts";

/** Why translations of a range go away or change (`enum mmu_notifier_event`, 6.1). */
export type InvalidateEvent =
  | "unmap"
  | "clear"
  | "protection-vma"
  | "protection-page"
  | "soft-dirty"
  | "release"
  | "migrate"
  | "exclusive";

/** A range of addresses whose translations are about to go: `[start, end)`. */
export interface InvalidateRange {
  readonly mm: Mm;
  readonly start: UserAddress;
  readonly end: UserAddress;
  readonly event: InvalidateEvent;
  /** Whether the callback may sleep. When not, it answers -EAGAIN if it would have to. */
  readonly blockable: boolean;
}

/**
 * Follows the page tables of one mm (`struct mmu_notifier_ops`): what a device with an MMU of its own needs in order
 * never to use a translation that the process has lost (skeleton of 2008).
 *
 * - `invalidateRangeBegin` is answered before any entry of the range is touched; from then until
 *   `invalidateRangeEnd` no secondary entry of the range may be made.
 * - Begins and ends pair for each subscriber and nest.
 * - `release` runs once, before the first page of the mm is freed; afterwards no secondary entry may exist or be made.
 * - No callback may take the mmap lock or drop the last reference on the mm.
 */
export interface MmuNotifier {
  readonly name: string;
  release?(mm: Mm): MaySleep<void>;
  /** One page's translation goes away, under the page-table lock: atomic (2.6.27 to 4.12: `invalidate_page`). */
  invalidatePage?(mm: Mm, address: UserAddress): Atomic<void>;
  /** 0, or -EAGAIN when the range is not blockable and the callback would have to sleep. */
  invalidateRangeBegin?(range: InvalidateRange): MaySleep<number>;
  invalidateRangeEnd?(range: InvalidateRange): MaySleep<void>;
  /** Whether the device used the page since it was last asked (`clear_flush_young`). */
  wasAccessed?(mm: Mm, address: UserAddress): Atomic<boolean>;
}
