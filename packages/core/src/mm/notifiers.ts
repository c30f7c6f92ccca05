import { EAGAIN } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type {
  IntervalNotifier,
  IntervalSubscription,
  InvalidateEvent,
  InvalidateRange,
  MmuNotifier,
} from "../contract/mmu-notifier.ts";
import type { UserAddress } from "../contract/units.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import type { Task } from "../sched/task.ts";
import { WaitQueue } from "../sched/wait-queue.ts";
import { type Interval, IntervalNotifiers } from "./interval-notifiers.ts";
import type { Mm } from "./mm.ts";

/** An invalidation under way: what `end` needs in order to pair with its `begin`. */
export interface Invalidation {
  readonly range: InvalidateRange;
  readonly told: readonly MmuNotifier[];
}

/**
 * Those who follow one mm's page tables (`struct mmu_notifier_subscriptions`): whole-mm followers in a list, and
 * intervals. Every operation that takes a translation away or narrows it does so between `begin` and `end`.
 */
export class Notifiers {
  readonly #mm: Mm;
  readonly #sched: Scheduler;
  readonly #intervals: IntervalNotifiers;
  /** Identity of the list for the scheduler: it is read under SRCU and written with the mmap lock held for writing. */
  readonly #index: number;
  #list: readonly MmuNotifier[] = [];
  /** Invalidations between begin and end: registering waits for them (`mm_take_all_locks`). */
  #active = 0;
  /** Tasks inside a callback, once for each: unregistering waits for them (SRCU). */
  readonly #inCallback: Task[] = [];
  readonly #quiet: WaitQueue;

  constructor(sched: Scheduler, mm: Mm) {
    this.#sched = sched;
    this.#mm = mm;
    this.#index = sched.nextObject();
    this.#intervals = new IntervalNotifiers(sched);
    this.#quiet = new WaitQueue(sched, `notifier callbacks of ${mm.name} to end`);
  }

  /** Whether anybody follows: operations skip all of this when not. */
  get isEmpty(): boolean {
    return this.#list.length === 0 && this.#intervals.isEmpty;
  }

  /** Followers of the whole mm, in the order in which they are told; for reports and leak checks. */
  get list(): readonly MmuNotifier[] {
    return this.#list;
  }

  /**
   * Announces that translations of `[start, end)` are about to go (`mmu_notifier_invalidate_range_start`); undefined
   * when nobody follows. The answer goes to `end` once they are gone.
   */
  *begin(start: number, end: number, event: InvalidateEvent): Sleepable<Invalidation | undefined> {
    if (this.isEmpty) return undefined;
    const begun = yield* this.#begin(this.#range(start, end, event, true));
    return begun === "refused" ? undefined : begun;
  }

  /**
   * The same for a caller that may not wait (`mmu_notifier_invalidate_range_start_nonblock`): `refused` when a follower
   * would have to sleep. Those who had agreed are told the end then, and nothing is under way (MN-02).
   */
  *tryBegin(
    start: number,
    end: number,
    event: InvalidateEvent,
  ): Sleepable<Invalidation | undefined | "refused"> {
    if (this.isEmpty) return undefined;
    return yield* this.#begin(this.#range(start, end, event, false));
  }

  /** The translations are gone: followers may make new ones. */
  *end(invalidation: Invalidation | undefined): Sleepable<void> {
    if (invalidation === undefined) return;
    const { range, told } = invalidation;
    this.#mm.machine.log.record("notifier-end", this.#mm.id, range.start, range.end);
    yield* this.#intervals.end();
    for (const notifier of told) {
      if (!this.#list.includes(notifier)) continue;
      yield* this.#call(() => notifier.invalidateRangeEnd?.(range) ?? undefined);
    }
    this.#active--;
    yield* this.#quiet.wakeAll();
  }

  /** One page's entry was cleared under the page-table lock (`mmu_notifier_invalidate_range` from the clear itself). */
  *pageCleared(address: number): Atomic<void> {
    for (const notifier of this.#list) {
      const invalidated = notifier.invalidatePage?.(this.#mm, address as UserAddress);
      if (invalidated !== undefined) yield* invalidated;
    }
  }

  /** The mm is going: every follower lets go of it, once, and only then leaves the list (`mmu_notifier_release`). */
  *release(): Sleepable<void> {
    if (this.isEmpty) return;
    this.#mm.machine.log.record("notifier-release", this.#mm.id);
    const { userEnd } = this.#mm.machine.geometry;
    const range = this.#range(0, userEnd, "release", true);
    const { sequence, hit } = yield* this.#intervals.begin(0, userEnd);
    for (const interval of hit) yield* this.#call(() => this.#intervals.tell(interval, range, sequence));
    yield* this.#intervals.end();
    for (const notifier of this.#list) {
      yield* this.#call(() => notifier.release?.(this.#mm) ?? undefined);
      yield* this.#announce(Access.write);
      this.#list = this.#list.filter((other) => other !== notifier);
    }
  }

  /** Adds a follower; the mmap lock is held for writing. No invalidation is under way when it is added. */
  *add(notifier: MmuNotifier): Sleepable<void> {
    yield* this.#quiet.waitUntil(() => this.#active === 0, "uninterruptible");
    yield* this.#announce(Access.write);
    this.#list = [...this.#list, notifier];
  }

  /**
   * Takes a follower off: it lets go of the mm if it had not yet, and when this returns no callback runs any more or
   * will run (`mmu_notifier_unregister`).
   */
  *delete(notifier: MmuNotifier): Sleepable<void> {
    if (this.#inCallback.includes(this.#sched.running)) {
      this.#sched.violations.report(
        "contract",
        `${notifier.name} unregisters from a callback, which would wait for itself`,
      );
      return;
    }
    if (this.#list.includes(notifier)) {
      yield* this.#call(() => notifier.release?.(this.#mm) ?? undefined);
      yield* this.#announce(Access.write);
      this.#list = this.#list.filter((other) => other !== notifier);
    }
    yield* this.#quiet.waitUntil(() => this.#inCallback.length === 0, "uninterruptible");
  }

  /** Follows one range (`mmu_interval_notifier_insert`). */
  *insertInterval(start: number, end: number, notifier: IntervalNotifier): Sleepable<IntervalSubscription> {
    return yield* this.#intervals.insert(start, end, notifier);
  }

  *#begin(range: InvalidateRange): Sleepable<Invalidation | "refused"> {
    this.#mm.machine.log.record("notifier-begin", this.#mm.id, range.start, range.end);
    this.#active++;
    const { sequence, hit } = yield* this.#intervals.begin(range.start, range.end);
    let isRefused = yield* this.#tellIntervals(hit, range, sequence);
    const told: MmuNotifier[] = [];
    if (!isRefused) {
      yield* this.#announce(Access.read);
      for (const notifier of this.#list) {
        const answer = yield* this.#callWithin(
          range,
          notifier.name,
          () => notifier.invalidateRangeBegin?.(range) ?? 0,
        );
        if (answer === 0) told.push(notifier);
        else if (this.#mayRefuse(notifier, range, answer)) isRefused = true;
        else told.push(notifier);
      }
    }
    const invalidation = { range, told };
    if (!isRefused) return invalidation;
    yield* this.end(invalidation);
    return "refused";
  }

  *#tellIntervals(hit: readonly Interval[], range: InvalidateRange, sequence: number): Sleepable<boolean> {
    for (const interval of hit) {
      const { name } = interval.notifier;
      const agreed = yield* this.#callWithin(range, name, () =>
        this.#intervals.tell(interval, range, sequence),
      );
      if (agreed) continue;
      if (!range.blockable) return true;
      this.#sched.violations.report("contract", `${name} refused a range invalidation that may block`);
    }
    return false;
  }

  /** Whether a follower's refusal stands: an error to a range that may block is a bug of its own and is ignored (MN-05). */
  #mayRefuse(notifier: MmuNotifier, range: InvalidateRange, answer: number): boolean {
    if (range.blockable || answer !== -EAGAIN) {
      this.#sched.violations.report(
        "contract",
        `${notifier.name} answered ${answer} to a range invalidation; only ${-EAGAIN} to one that may not block is allowed`,
      );
    } else if (notifier.invalidateRangeEnd !== undefined) {
      this.#sched.violations.report(
        "contract",
        `${notifier.name} refuses range invalidations but has an end, which could not be paired`,
      );
    }
    return !range.blockable;
  }

  #range(start: number, end: number, event: InvalidateEvent, blockable: boolean): InvalidateRange {
    return { mm: this.#mm, start: start as UserAddress, end: end as UserAddress, event, blockable };
  }

  *#announce(access: Access): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.#index, access);
  }

  /** Runs a callback of a range; one that sleeps although the range is not blockable is reported (MN-05). */
  *#callWithin<T>(range: InvalidateRange, name: string, call: () => T | Sleepable<T>): Sleepable<T> {
    if (range.blockable) return yield* this.#call(call);
    const answer = call();
    if (!isGenerator(answer)) return answer;
    for (;;) {
      const step = answer.next();
      if (step.done === true) return step.value;
      if (step.value.step === "sleep") {
        this.#sched.violations.report(
          "sleep-in-atomic",
          `${name} sleeps in a range invalidation that may not block`,
        );
      }
      yield step.value;
    }
  }

  *#call<T>(call: () => T | Sleepable<T>): Sleepable<T> {
    const task = this.#sched.running;
    this.#inCallback.push(task);
    const answer = call();
    const result = isGenerator(answer) ? yield* answer : answer;
    this.#inCallback.splice(this.#inCallback.lastIndexOf(task), 1);
    yield* this.#quiet.wakeAll();
    return result;
  }
}
