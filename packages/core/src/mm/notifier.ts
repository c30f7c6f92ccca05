import type { Sleepable } from "../contract/execution.ts";
import type { MmuNotifier } from "../contract/mmu-notifier.ts";
import type { Mm } from "./mm.ts";

/**
 * Lets `notifier` follow the page tables of `mm` (`mmu_notifier_register`). Takes the mmap lock for writing itself: a
 * caller that holds it already deadlocks with itself (MN-16). Waits for a grace period, so that every CPU has seen the new
 * list when it returns.
 */
export function* registerNotifier(mm: Mm, notifier: MmuNotifier): Sleepable<void> {
  yield* mm.lock.write();
  mm.notifiers.add(notifier);
  mm.lock.unlockWrite();
  yield* mm.machine.rcu.synchronize();
}

/** Stops following (`mmu_notifier_unregister`): when it returns no callback runs any more (MN-11). */
export function* unregisterNotifier(mm: Mm, notifier: MmuNotifier): Sleepable<void> {
  mm.notifiers.delete(notifier);
  yield* mm.machine.rcu.synchronize();
}
