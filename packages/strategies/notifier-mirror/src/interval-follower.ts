import {
  type Atomic,
  type DeviceAccess,
  type DeviceFollower,
  EAGAIN,
  EFAULT,
  type FollowedRange,
  type IntervalNotifier,
  type IntervalSubscription,
  type InvalidateRange,
  type Page,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import { copyFrom } from "./copy-entry.ts";
import type { MirroredMemory } from "./mirrored-memory.ts";

/**
 * The form of 5.5 and later: each followed range has a sequence number of its own, which an invalidation that touches
 * it changes. So the page may be looked up without any lock, and other ranges are not held off (MN-06, MN-07).
 */
export class IntervalFollower implements DeviceFollower, IntervalNotifier {
  readonly name = "interval-mirror";
  readonly #memory: MirroredMemory;
  readonly #subscriptions: IntervalSubscription[] = [];

  constructor(memory: MirroredMemory) {
    this.#memory = memory;
  }

  get state() {
    return this.#memory.mmu.state;
  }

  get statistics() {
    return this.#memory.statistics;
  }

  translate(address: UserAddress, access: DeviceAccess) {
    return this.#memory.mmu.translate(address, access);
  }

  accessed(address: UserAddress, access: DeviceAccess) {
    this.#memory.mmu.accessed(address, access);
  }

  /** Begins to follow one range: 0, -EFAULT for a process that is gone, or -ENOMEM. */
  *subscribe({ start, end }: FollowedRange): Sleepable<number> {
    const { kernel, request } = this.#memory;
    const subscription = yield* kernel.mappings.insertInterval(request.mm, start, end, this);
    if (typeof subscription === "number") return subscription;
    this.#subscriptions.push(subscription);
    return 0;
  }

  *populateAtomic(address: UserAddress, access: DeviceAccess): Atomic<number> {
    const subscription = this.#subscriptionAt(address);
    if (subscription === undefined || this.#memory.enter(address) !== 0) return -EFAULT;
    const result = yield* this.#tryCopy(subscription, address, access);
    this.#memory.leave();
    return result;
  }

  *populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const subscription = this.#subscriptionAt(address);
    if (subscription === undefined || this.#memory.enter(address) !== 0) return -EFAULT;
    let result: number | "collided";
    do result = yield* this.#lookUpAndInsert(subscription, address, access);
    while (result === "collided");
    this.#memory.leave();
    return result;
  }

  *detach(): Sleepable<void> {
    for (const subscription of this.#subscriptions) yield* subscription.remove();
    yield* this.#memory.lock.with(() => this.#letGo());
  }

  // The notifier.

  *invalidate(
    range: InvalidateRange,
    subscription: IntervalSubscription,
    sequence: number,
  ): Sleepable<boolean> {
    yield* this.#memory.lock.with(() => this.#invalidateNow(range, subscription, sequence));
    if (range.event === "release") yield* this.#memory.stop();
    return true;
  }

  /** With the lock held. */
  *#invalidateNow(
    { start, end, event }: InvalidateRange,
    subscription: IntervalSubscription,
    sequence: number,
  ): Atomic<void> {
    yield* subscription.setSequence(sequence);
    if (event === "release") {
      yield* this.#letGo();
      return;
    }
    this.#memory.statistics.invalidations++;
    const from = Math.max(start, subscription.start) as UserAddress;
    const to = Math.min(end, subscription.end) as UserAddress;
    yield* this.#memory.zap(from, to);
  }

  /** With the lock held. Who looks up a page at this moment makes no entry with it any more. */
  *#letGo(): Atomic<void> {
    this.#memory.isReleased = true;
    yield* this.#memory.zapAll();
  }

  // Making entries.

  /** The loop of `dmirror_range_fault`, one turn: the page is looked up, and thrown away if anything came meanwhile. */
  *#lookUpAndInsert(
    subscription: IntervalSubscription,
    address: UserAddress,
    access: DeviceAccess,
  ): Sleepable<number | "collided"> {
    const sequence = yield* subscription.readBegin();
    const page = yield* this.#memory.holdPage(address, access);
    if (page < 0) return page;
    const insert = () => this.#insert(subscription, sequence, address, page as Page, access === "write");
    const result = yield* this.#memory.lock.with(insert);
    yield* this.#memory.giveBack(page as Page);
    return result;
  }

  *#tryCopy(subscription: IntervalSubscription, address: UserAddress, access: DeviceAccess): Atomic<number> {
    const { kernel, lock, request, statistics } = this.#memory;
    const sequence = yield* subscription.tryReadBegin();
    if (sequence === undefined) {
      statistics.refused++;
      return -EAGAIN;
    }
    const insert = (page: Page, isWritable: boolean) =>
      lock.with(() => this.#insert(subscription, sequence, address, page, isWritable));
    const copy = () =>
      kernel.mappings.withEntry(request.mm, address, (entry) => copyFrom(entry, access, insert));
    const result = yield* kernel.mappings.tryReading(request.mm, copy);
    return result === undefined || result === "collided" ? -EAGAIN : result;
  }

  /** With the lock held. */
  *#insert(
    subscription: IntervalSubscription,
    sequence: number,
    address: UserAddress,
    page: Page,
    isWritable: boolean,
  ): Atomic<number | "collided"> {
    const { isReleased, statistics } = this.#memory;
    if (isReleased) return -EFAULT;
    if (yield* subscription.readRetry(sequence)) {
      statistics.refused++;
      return "collided";
    }
    return yield* this.#memory.make(address, page, isWritable ? "read-write" : "read-only");
  }

  #subscriptionAt(address: UserAddress): IntervalSubscription | undefined {
    return this.#subscriptions.find(({ start, end }) => address >= start && address < end);
  }
}
