import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { IntervalNotifier, IntervalSubscription, InvalidateRange } from "../contract/mmu-notifier.ts";
import type { UserAddress } from "../contract/units.ts";
import { duringCall } from "../sanitize/calls.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import { WaitQueue } from "../sched/wait-queue.ts";
import { IntervalTree } from "./interval-tree.ts";

/** One followed range. Its own sequence is guarded by the follower's lock. */
class Interval implements IntervalSubscription {
  readonly start: UserAddress;
  readonly end: UserAddress;
  readonly notifier: IntervalNotifier;
  readonly index: number;
  sequence = 0;
  readonly #owner: IntervalNotifiers;

  constructor(
    owner: IntervalNotifiers,
    index: number,
    start: number,
    end: number,
    notifier: IntervalNotifier,
  ) {
    this.#owner = owner;
    this.index = index;
    this.start = start as UserAddress;
    this.end = end as UserAddress;
    this.notifier = notifier;
  }

  readBegin(): Sleepable<number> {
    return this.#owner.readBegin(this);
  }

  tryReadBegin(): Atomic<number | undefined> {
    return this.#owner.tryReadBegin(this);
  }

  *readRetry(sequence: number): Atomic<boolean> {
    yield* this.#owner.announce(this.index, Access.read);
    return this.sequence !== sequence;
  }

  *setSequence(sequence: number): Atomic<void> {
    yield* this.#owner.announce(this.index, Access.write);
    this.sequence = sequence;
  }

  remove(): Sleepable<void> {
    return this.#owner.remove(this);
  }
}

/**
 * The interval form of following an mm (`mn_itree_*` in mm/mmu_notifier.c). The sequence number is odd while an
 * invalidation that hit a subscription runs; what would change the tree meanwhile waits until the last one has ended.
 */
export class IntervalNotifiers {
  readonly #sched: Scheduler;
  /** Identity of sequence, count and tree together, which Linux guards by one spinlock. */
  readonly #index: number;
  readonly #tree = new IntervalTree<Interval>();
  readonly #changed: WaitQueue;
  /** Even at rest; odd while an invalidation that hit a subscription runs. Never equal to that of a new subscription. */
  #sequence = 2;
  #active = 0;
  #deferred: { readonly interval: Interval; readonly change: "insert" | "remove" }[] = [];

  constructor(sched: Scheduler, index: number) {
    this.#sched = sched;
    this.#index = index;
    this.#changed = new WaitQueue(sched, "the end of the invalidations that hit an interval");
  }

  get isEmpty(): boolean {
    return this.#tree.size === 0 && this.#deferred.length === 0;
  }

  /** Follows `[start, end)`. During an invalidation the new subscription starts out as colliding (MN-10). */
  *insert(start: number, end: number, notifier: IntervalNotifier): Atomic<Interval> {
    yield* this.announce(this.#index, Access.write);
    const interval = new Interval(this, this.#sched.nextObject(), start, end, notifier);
    if (this.#active === 0) {
      interval.sequence = this.#sequence - 1;
      this.#link(interval);
    } else {
      if (this.#isInvalidating) this.#deferred.push({ interval, change: "insert" });
      else {
        this.#sequence |= 1;
        this.#link(interval);
      }
      interval.sequence = this.#sequence;
    }
    return interval;
  }

  /** Begins an invalidation: the sequence for the callbacks, and the subscriptions that it hits. */
  *begin(
    start: number,
    end: number,
  ): Atomic<{ readonly sequence: number; readonly hit: readonly Interval[] }> {
    yield* this.announce(this.#index, Access.write);
    this.#active++;
    const hit = this.#tree.overlapping(start, end - 1);
    if (hit.length > 0) this.#sequence |= 1;
    return { sequence: this.#sequence, hit };
  }

  /** Tells one subscription; false when it refused a range that may not block. */
  *tell(interval: Interval, range: InvalidateRange, sequence: number): Sleepable<boolean> {
    const { notifier } = interval;
    const answer = duringCall(this.#sched, `${notifier.name}.invalidate`, () =>
      notifier.invalidate(range, interval, sequence),
    );
    const agreed = isGenerator(answer) ? yield* answer : answer;
    this.#sched.note(ObjectKind.cell, interval.index, Access.read);
    if (agreed && interval.sequence !== sequence) {
      this.#sched.violations.report(
        "contract",
        `${interval.notifier.name}: invalidate did not record sequence ${sequence}, so populate cannot see the collision`,
        { object: interval.notifier.name },
      );
    }
    return agreed;
  }

  /** Counts an invalidation that nobody hears of: what is inserted meanwhile collides with it. */
  countSilent(change: 1 | -1): void {
    this.#active += change;
    if (this.#active === 0 && this.#isInvalidating) this.#settle();
  }

  /** Ends an invalidation; the last one lets readers on and carries out what was put off. */
  *end(): Atomic<void> {
    yield* this.announce(this.#index, Access.write);
    if (--this.#active > 0 || !this.#isInvalidating) return;
    this.#settle();
  }

  *tryReadBegin(interval: Interval): Atomic<number | undefined> {
    yield* this.#announceBoth(interval);
    return interval.sequence === this.#sequence ? undefined : interval.sequence;
  }

  *readBegin(interval: Interval): Sleepable<number> {
    yield* this.#announceBoth(interval);
    const { sequence } = interval;
    if (sequence === this.#sequence) yield* this.#waitForChange(sequence);
    return sequence;
  }

  *remove(interval: Interval): Sleepable<void> {
    yield* this.announce(this.#index, Access.write);
    if (!this.#isInvalidating) {
      this.#tree.remove(interval);
      return;
    }
    const before = this.#deferred.length;
    this.#deferred = this.#deferred.filter((put) => put.interval !== interval);
    // What had not been put into the tree yet was told of nothing, so that there is nothing to wait for.
    if (this.#deferred.length < before) return;
    this.#deferred.push({ interval, change: "remove" });
    yield* this.#waitForChange(this.#sequence);
  }

  *announce(index: number, access: Access): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, index, access);
  }

  /** Announces a look at the shared sequence and at the interval's own, which its follower sets under its own lock. */
  *#announceBoth(interval: Interval): Atomic<void> {
    const sched = this.#sched;
    if (!sched.interleaving) return;
    const point = sched.at(ObjectKind.cell, this.#index, Access.read);
    yield sched.also(point, ObjectKind.cell, interval.index, Access.read);
  }

  get #isInvalidating(): boolean {
    return (this.#sequence & 1) === 1;
  }

  /** The last invalidation has ended: readers go on, and what was put off is carried out. */
  #settle(): void {
    this.#sched.note(ObjectKind.cell, this.#index, Access.write);
    this.#sequence++;
    for (const { interval, change } of this.#deferred) {
      if (change === "insert") this.#link(interval);
      else this.#tree.remove(interval);
    }
    this.#deferred = [];
    this.#changed.wakeAllNow();
  }

  #link(interval: Interval): void {
    this.#tree.insert(interval, interval.start, interval.end - 1);
  }

  *#waitForChange(sequence: number): Sleepable<void> {
    yield* this.#changed.waitUntil(() => this.#hasChanged(sequence), "uninterruptible");
  }

  *#hasChanged(sequence: number): Atomic<boolean> {
    yield* this.announce(this.#index, Access.read);
    return this.#sequence !== sequence;
  }
}

export type { Interval };
