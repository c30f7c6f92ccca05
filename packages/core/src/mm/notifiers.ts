import { EAGAIN } from "../contract/errno.ts";
import type { Atomic, MaySleep, Sleepable } from "../contract/execution.ts";
import type {
  IntervalNotifier,
  IntervalSubscription,
  InvalidateEvent,
  InvalidateRange,
  MmuNotifier,
} from "../contract/mmu-notifier.ts";
import type { UserAddress } from "../contract/units.ts";
import { duringCall, inCall } from "../sanitize/calls.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import { Srcu } from "../sched/srcu.ts";
import { WaitQueue } from "../sched/wait-queue.ts";
import { type Interval, IntervalNotifiers } from "./interval-notifiers.ts";
import type { Mm } from "./mm.ts";

/** An invalidation under way: what `end` needs in order to pair with its `begin`. */
export interface Invalidation {
  /** Undefined where nobody followed when it began. */
  readonly range: InvalidateRange | undefined;
  readonly told: readonly MmuNotifier[];
}

/** One that was announced to everybody. */
interface Announced extends Invalidation {
  /** Whether a follower would have to sleep for it; never where that is allowed. */
  readonly isRefused: boolean;
}

const unheard: Announced = { range: undefined, told: [], isRefused: false };

/**
 * Those who follow one mm's page tables (`struct mmu_notifier_subscriptions`): whole-mm followers in a list, and
 * intervals. Every operation that takes a translation away or narrows it does so between `begin` and `end`.
 *
 * An invalidation that nobody hears of is counted all the same: who begins to follow in the middle of it would
 * otherwise copy an entry that is about to go.
 */
export class Notifiers {
  readonly #mm: Mm;
  readonly #sched: Scheduler;
  readonly #intervals: IntervalNotifiers;
  /** Identity of the list and the intervals together for the scheduler. */
  readonly #index: number;
  /** Identity of the count of invalidations under way: those who begin may be swapped, and those who end may not. */
  readonly #count: number;
  #list: readonly MmuNotifier[] = [];
  /** Followers whose `release` was called or is being called. */
  readonly #released = new Set<MmuNotifier>();
  /** Invalidations between begin and end: registering waits for them (`mm_take_all_locks`). */
  #active = 0;
  /** Walks of the list: unregistering waits for them, and so does exit. */
  readonly #walks: Srcu;
  readonly #rest: WaitQueue;

  constructor(sched: Scheduler, mm: Mm) {
    this.#sched = sched;
    this.#mm = mm;
    this.#index = sched.nextObject();
    this.#count = sched.nextObject();
    this.#intervals = new IntervalNotifiers(sched, this.#index);
    this.#walks = new Srcu(sched, `notifier callbacks of ${mm.name}`);
    this.#rest = new WaitQueue(sched, `invalidations of ${mm.name} to end`);
  }

  /** Whether nobody follows. */
  get isEmpty(): boolean {
    return this.#list.length === 0 && this.#intervals.isEmpty;
  }

  /** Followers of the whole mm, in the order in which they are told; for reports and leak checks. */
  get list(): readonly MmuNotifier[] {
    return this.#list;
  }

  /**
   * Announces that translations of `[start, end)` are about to go (`mmu_notifier_invalidate_range_start`). The answer
   * goes to `end` once they are gone.
   */
  *begin(start: number, end: number, event: InvalidateEvent): Sleepable<Invalidation> {
    return yield* this.#begin(this.#range(start, end, event, true));
  }

  /**
   * The same for a caller that may not wait (`mmu_notifier_invalidate_range_start_nonblock`): `refused` when a follower
   * would have to sleep. Those who had agreed are told the end then, and nothing is under way (MN-02).
   */
  *tryBegin(start: number, end: number, event: InvalidateEvent): Sleepable<Invalidation | "refused"> {
    const begun = yield* this.#begin(this.#range(start, end, event, false));
    if (!begun.isRefused) return begun;
    yield* this.end(begun);
    return "refused";
  }

  /** The translations are gone: followers may make new ones. */
  *end(invalidation: Invalidation | undefined): Sleepable<void> {
    if (invalidation === undefined) return;
    const { range, told } = invalidation;
    if (range === undefined) {
      yield* this.#announceSilent(Access.countDown);
      this.#intervals.countSilent(-1);
    } else {
      this.#mm.machine.log.record("notifier-end", this.#mm.id, range.start, range.end);
      yield* this.#intervals.end();
      const walk = this.#walks.enter();
      for (const notifier of told) {
        this.#noteLook();
        if (!this.#list.includes(notifier)) continue;
        yield* this.#callWithin(range, notifier.name, () =>
          this.#named(notifier, "invalidateRangeEnd", () => notifier.invalidateRangeEnd?.(range)),
        );
      }
      yield* this.#walks.leave(walk);
      if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.#count, Access.countDown);
    }
    if (--this.#active === 0 && this.#rest.length > 0) yield* this.#rest.wakeAll();
  }

  /** One page's entry was cleared under the page-table lock (`mmu_notifier_invalidate_range` from the clear itself). */
  *pageCleared(address: number): Atomic<void> {
    this.#noteLook();
    if (this.#list.length === 0) return;
    yield* this.#announce(Access.read);
    const walk = this.#walks.enter();
    for (const notifier of this.#list) {
      const invalidated = notifier.invalidatePage?.(this.#mm, address as UserAddress);
      if (invalidated === undefined) continue;
      yield* inCall(this.#sched, `${notifier.name}.invalidatePage`, invalidated);
    }
    yield* this.#walks.leave(walk);
  }

  /** Whether any follower used a page since it was last asked; all of them are asked (`mmu_notifier_clear_flush_young`). */
  *wasAccessed(address: number): Atomic<boolean> {
    this.#noteLook();
    if (this.#list.length === 0) return false;
    yield* this.#announce(Access.read);
    const walk = this.#walks.enter();
    let accessed = false;
    for (const notifier of this.#list) {
      const asked = notifier.wasAccessed?.(this.#mm, address as UserAddress);
      if (asked !== undefined && (yield* asked)) accessed = true;
    }
    yield* this.#walks.leave(walk);
    return accessed;
  }

  /**
   * The mm is going: every follower lets go of it, once, and only then leaves the list (`mmu_notifier_release`). When
   * this returns they all have, also one that is being unregistered at this moment.
   */
  *release(): Sleepable<void> {
    this.#noteLook();
    if (this.isEmpty) return;
    if (this.#isInCallback("drops the last use of the mm in")) return;
    this.#mm.machine.log.record("notifier-release", this.#mm.id);
    const { userEnd } = this.#mm.machine.geometry;
    const range = this.#range(0, userEnd, "release", true);
    const { sequence, hit } = yield* this.#intervals.begin(0, userEnd);
    for (const interval of hit) yield* this.#call(() => this.#intervals.tell(interval, range, sequence));
    yield* this.#intervals.end();
    for (const notifier of this.#list) yield* this.#letGo(notifier);
    yield* this.#walks.synchronize();
  }

  /** Adds a follower; the mmap lock is held for writing. No invalidation is under way when it is added. */
  *add(notifier: MmuNotifier): Sleepable<void> {
    yield* this.#rest.waitUntil(() => this.#isAtRest(), "uninterruptible");
    this.#list = [...this.#list, notifier];
  }

  /**
   * Takes a follower off: it lets go of the mm if it had not yet, and when this returns no callback runs any more or
   * will run (`mmu_notifier_unregister`).
   */
  *delete(notifier: MmuNotifier): Sleepable<void> {
    if (this.#isInCallback(`unregisters ${notifier.name} from`)) return;
    yield* this.#letGo(notifier);
    yield* this.#walks.synchronize();
  }

  /** Follows one range (`mmu_interval_notifier_insert`). */
  *insertInterval(start: number, end: number, notifier: IntervalNotifier): Sleepable<IntervalSubscription> {
    return yield* this.#intervals.insert(start, end, notifier);
  }

  *#begin(range: InvalidateRange): Sleepable<Announced> {
    this.#noteLook();
    if (this.isEmpty) yield* this.#announceSilent(Access.countUp);
    if (this.isEmpty) {
      this.#active++;
      this.#intervals.countSilent(1);
      return unheard;
    }
    this.#mm.machine.log.record("notifier-begin", this.#mm.id, range.start, range.end);
    const { sequence, hit } = yield* this.#intervals.begin(range.start, range.end);
    this.#sched.note(ObjectKind.cell, this.#count, Access.countUp);
    this.#active++;
    const walk = this.#walks.enter();
    const list = this.#list;
    let isRefused = yield* this.#tellIntervals(hit, range, sequence);
    const told: MmuNotifier[] = [];
    for (const notifier of isRefused ? [] : list) {
      const answer = yield* this.#callWithin(range, notifier.name, () =>
        this.#named(notifier, "invalidateRangeBegin", () => notifier.invalidateRangeBegin?.(range) ?? 0),
      );
      if (answer !== 0 && this.#mayRefuse(notifier, range, answer)) isRefused = true;
      else told.push(notifier);
    }
    yield* this.#walks.leave(walk);
    return { range, told, isRefused };
  }

  /** Calls `release` and takes the follower off the list, unless somebody else did or is at it. */
  *#letGo(notifier: MmuNotifier): Sleepable<void> {
    yield* this.#announce(Access.write);
    if (!this.#list.includes(notifier) || this.#released.has(notifier)) return;
    this.#released.add(notifier);
    const walk = this.#walks.enter();
    yield* this.#call(() => this.#named(notifier, "release", () => notifier.release?.(this.#mm)));
    yield* this.#announce(Access.write);
    this.#list = this.#list.filter((other) => other !== notifier);
    this.#released.delete(notifier);
    yield* this.#walks.leave(walk);
  }

  *#isAtRest(): Atomic<boolean> {
    const sched = this.#sched;
    if (sched.interleaving) {
      const point = sched.at(ObjectKind.cell, this.#index, Access.write);
      yield sched.also(point, ObjectKind.cell, this.#count, Access.read);
    }
    return this.#active === 0;
  }

  /** Whether the current task is inside a callback, where it must not do what would wait for that callback. */
  #isInCallback(what: string): boolean {
    if (!this.#walks.isReading) return false;
    const { name } = this.#sched.running;
    this.#sched.violations.report(
      "contract",
      `${name} ${what} a notifier callback, which would wait for itself`,
      { object: this.#mm.name },
    );
    return true;
  }

  *#tellIntervals(hit: readonly Interval[], range: InvalidateRange, sequence: number): Sleepable<boolean> {
    for (const interval of hit) {
      const { name } = interval.notifier;
      const agreed = yield* this.#callWithin(range, name, () =>
        this.#intervals.tell(interval, range, sequence),
      );
      if (agreed) continue;
      if (!range.blockable) return true;
      this.#sched.violations.report("contract", `${name} refused a range invalidation that may block`, {
        object: name,
      });
    }
    return false;
  }

  /** Whether a follower's refusal stands: an error to a range that may block is a bug of its own and is ignored (MN-05). */
  #mayRefuse(notifier: MmuNotifier, range: InvalidateRange, answer: number): boolean {
    if (range.blockable || answer !== -EAGAIN) {
      this.#sched.violations.report(
        "contract",
        `${notifier.name} answered ${answer} to a range invalidation; only ${-EAGAIN} to one that may not block is allowed`,
        { object: notifier.name },
      );
    } else if (notifier.invalidateRangeEnd !== undefined) {
      this.#sched.violations.report(
        "contract",
        `${notifier.name} refuses range invalidations but has an end, which could not be paired`,
        { object: notifier.name },
      );
    }
    return !range.blockable;
  }

  #range(start: number, end: number, event: InvalidateEvent, blockable: boolean): InvalidateRange {
    return { mm: this.#mm, start: start as UserAddress, end: end as UserAddress, event, blockable };
  }

  /** Notes that the step under way looks whether anybody follows. */
  #noteLook(): void {
    this.#sched.note(ObjectKind.cell, this.#index, Access.read);
  }

  *#announce(access: Access): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.#index, access);
  }

  /** Announces that an invalidation is counted in a step that has seen, or saw when it began, that nobody follows. */
  *#announceSilent(change: Access): Atomic<void> {
    const sched = this.#sched;
    if (!sched.interleaving) return;
    const point = sched.at(ObjectKind.cell, this.#index, Access.read);
    yield sched.also(point, ObjectKind.cell, this.#count, change);
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
          { object: name },
        );
      }
      yield step.value;
    }
  }

  /** Calls a hook, with the hook among the callers of what it does. */
  #named<T>({ name }: MmuNotifier, hook: string, call: () => MaySleep<T>): MaySleep<T> {
    return this.#mm.machine.isTraced ? duringCall(this.#sched, `${name}.${hook}`, call) : call();
  }

  *#call<T>(call: () => T | Sleepable<T>): Sleepable<T> {
    const answer = call();
    return isGenerator(answer) ? yield* answer : answer;
  }
}
