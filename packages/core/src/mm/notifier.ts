import { EFAULT, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { IntervalNotifier, IntervalSubscription, MmuNotifier } from "../contract/mmu-notifier.ts";
import type { Mm } from "./mm.ts";

/**
 * Lets `notifier` follow the page tables of `mm` (`mmu_notifier_register`). Takes the mmap lock for writing itself: a
 * caller that holds it already deadlocks with itself (MN-16). Waits for a grace period, so that every CPU has seen the new
 * list when it returns.
 *
 * @returns 0; -EFAULT for an mm that nobody uses any more (MN-13); -ENOMEM
 */
export function* registerNotifier(mm: Mm, notifier: MmuNotifier): Sleepable<number> {
  if (!mm.tryUse()) return -EFAULT;
  if (!mm.machine.mayAllocate("mmu_notifier_register")) {
    yield* mm.machine.dropMm(mm);
    return -ENOMEM;
  }
  yield* mm.lock.write();
  yield* mm.notifiers.add(notifier);
  mm.lock.unlockWrite();
  yield* mm.machine.rcu.synchronize();
  yield* mm.machine.dropMm(mm);
  return 0;
}

/** Stops following (`mmu_notifier_unregister`): when it returns no callback runs any more or will run (MN-11). */
export function* unregisterNotifier(mm: Mm, notifier: MmuNotifier): Sleepable<void> {
  yield* mm.notifiers.delete(notifier);
  yield* mm.machine.rcu.synchronize();
}

/**
 * Follows the translations of `[start, end)` by sequence number (`mmu_interval_notifier_insert`).
 *
 * @returns the subscription; -EFAULT for an mm that nobody uses any more; -ENOMEM
 */
export function* insertInterval(
  mm: Mm,
  start: number,
  end: number,
  notifier: IntervalNotifier,
): Sleepable<IntervalSubscription | number> {
  if (!mm.tryUse()) return -EFAULT;
  if (!mm.machine.mayAllocate("mmu_interval_notifier_insert")) {
    yield* mm.machine.dropMm(mm);
    return -ENOMEM;
  }
  const subscription = yield* mm.notifiers.insertInterval(start, end, notifier);
  yield* mm.machine.dropMm(mm);
  return subscription;
}
