import { EAGAIN } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { InvalidateEvent, InvalidateRange, MmuNotifier } from "../contract/mmu-notifier.ts";
import type { UserAddress } from "../contract/units.ts";
import { isGenerator } from "../sched/is-generator.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import type { Mm } from "./mm.ts";

/**
 * Those who follow one mm's page tables (`struct mmu_notifier_subscriptions`, list form). Every operation that takes
 * a translation away or narrows it does so between `begin` and `end`.
 */
export class NotifierList {
  readonly #mm: Mm;
  readonly #sched: Scheduler;
  #subscribers: readonly MmuNotifier[] = [];

  constructor(sched: Scheduler, mm: Mm) {
    this.#sched = sched;
    this.#mm = mm;
  }

  /** Whether anybody follows: operations skip all of this when not. */
  get isEmpty(): boolean {
    return this.#subscribers.length === 0;
  }

  /** Adds a follower (`__mmu_notifier_register`); the mmap lock is held for writing. */
  add(notifier: MmuNotifier): void {
    this.#subscribers = [...this.#subscribers, notifier];
  }

  /** Takes a follower off (`mmu_notifier_unregister`'s list half). */
  delete(notifier: MmuNotifier): void {
    this.#subscribers = this.#subscribers.filter((subscriber) => subscriber !== notifier);
  }

  /**
   * Announces that translations of `[start, end)` are about to go; undefined when nobody follows. The answer goes to
   * `end` once they are gone.
   */
  *begin(start: number, end: number, event: InvalidateEvent): Sleepable<InvalidateRange | undefined> {
    if (this.isEmpty) return undefined;
    const range: InvalidateRange = {
      mm: this.#mm,
      start: start as UserAddress,
      end: end as UserAddress,
      event,
      blockable: true,
    };
    this.#mm.machine.log.record("notifier-begin", this.#mm.id, start, end);
    for (const subscriber of this.#subscribers) {
      const answer = subscriber.invalidateRangeBegin?.(range) ?? 0;
      const result = isGenerator(answer) ? yield* answer : answer;
      if (result !== 0) {
        this.#sched.violations.report(
          "contract",
          `${subscriber.name} answered ${result} to a range invalidation that may block; only ${-EAGAIN} to one that may not is allowed`,
        );
      }
    }
    return range;
  }

  /** The translations are gone: followers may make new ones again. */
  *end(range: InvalidateRange | undefined): Sleepable<void> {
    if (range === undefined) return;
    this.#mm.machine.log.record("notifier-end", this.#mm.id, range.start, range.end);
    for (const subscriber of this.#subscribers) {
      const answer = subscriber.invalidateRangeEnd?.(range);
      if (isGenerator(answer)) yield* answer;
    }
  }

  /** The mm is going: every follower lets go of it, once (`mmu_notifier_release`). */
  *release(): Sleepable<void> {
    const subscribers = this.#subscribers;
    this.#subscribers = [];
    if (subscribers.length > 0) this.#mm.machine.log.record("notifier-release", this.#mm.id);
    for (const subscriber of subscribers) {
      const answer = subscriber.release?.(this.#mm);
      if (isGenerator(answer)) yield* answer;
    }
  }
}
