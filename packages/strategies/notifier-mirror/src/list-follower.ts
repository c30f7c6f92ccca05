import type { WaitQueue } from "@nopage/core";
import {
  type Atomic,
  type DeviceAccess,
  type DeviceFollower,
  EAGAIN,
  EFAULT,
  type InvalidateRange,
  type KernelAddress,
  type MmuNotifier,
  type Page,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import { copyFrom } from "./copy-entry.ts";
import type { MirroredMemory } from "./mirrored-memory.ts";

/** Bytes of what the skeleton calls `struct my_mmu`. */
export const FOLLOWER_BYTES = 64;

/**
 * The follower of the 2008 skeleton: one lock, and a count of the invalidations under way. The count has no range, so
 * an invalidation anywhere in the process holds off every populate.
 *
 * A count alone does not tell that a whole invalidation came and went since a page was looked up. So the entry is read
 * again under the page-table lock, together with the count (MN-08).
 */
export class ListFollower implements DeviceFollower, MmuNotifier {
  readonly name = "notifier-mirror";
  readonly #memory: MirroredMemory;
  /** The follower's own memory, which holds the count: so a use after it was freed shows. */
  readonly #own: KernelAddress;
  /** Where the sleeping form waits for invalidations to end. */
  readonly #rest: WaitQueue;
  #isDetaching = false;

  constructor(memory: MirroredMemory, own: KernelAddress) {
    this.#memory = memory;
    this.#own = own;
    this.#rest = memory.kernel.sync.waitQueue("invalidations to end");
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

  *populateAtomic(address: UserAddress, access: DeviceAccess): Atomic<number> {
    const entered = this.#memory.enter(address);
    if (entered !== 0) return entered;
    const { mappings } = this.#memory.kernel;
    const result = yield* mappings.tryReading(this.#memory.request.mm, () => this.#copy(address, access));
    this.#memory.leave();
    return result ?? -EAGAIN;
  }

  *populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const entered = this.#memory.enter(address);
    if (entered !== 0) return entered;
    const { mappings } = this.#memory.kernel;
    let result = 0;
    do {
      result = yield* mappings.reading(this.#memory.request.mm, () => this.#copy(address, access));
      if (result !== -EAGAIN) break;
      yield* this.#rest.waitUntil(() => this.#memory.lock.with(() => this.#isAtRest()), "uninterruptible");
      result = yield* this.#memory.faultIn(address, access);
    } while (result === 0);
    this.#memory.leave();
    return result;
  }

  *detach(): Sleepable<void> {
    const { kernel, request } = this.#memory;
    this.#isDetaching = true;
    yield* kernel.mappings.unregisterNotifier(request.mm, this);
    kernel.memory.kmalloc.kfree(this.#own);
  }

  // The notifier.

  *invalidatePage(_mm: unknown, address: UserAddress): Atomic<void> {
    const start = this.#memory.pageAt(address);
    const end = (start + this.#memory.kernel.geometry.pageSize) as UserAddress;
    yield* this.#memory.lock.with(() => this.#memory.zap(start, end));
  }

  *invalidateRangeBegin({ start, end }: InvalidateRange): Atomic<number> {
    yield* this.#memory.lock.with(() => this.#begin(start, end));
    return 0;
  }

  *invalidateRangeEnd(): Atomic<void> {
    const isLast = yield* this.#memory.lock.with(() => this.#end());
    if (isLast) yield* this.#rest.wakeAll();
  }

  *release(): Sleepable<void> {
    yield* this.#memory.lock.with(() => this.#letGo());
    yield* this.#rest.wakeAll();
    if (!this.#isDetaching) yield* this.#memory.stop();
  }

  // All below: with the lock held.

  *#begin(start: UserAddress, end: UserAddress): Atomic<void> {
    this.#memory.statistics.invalidations++;
    this.#running++;
    yield* this.#memory.zap(start, end);
  }

  *#end(): Atomic<boolean> {
    this.#running--;
    return this.#running === 0;
  }

  *#letGo(): Atomic<void> {
    this.#memory.isReleased = true;
    yield* this.#memory.zapAll();
  }

  *#isAtRest(): Atomic<boolean> {
    // The count is gone with the follower.
    return this.#memory.isReleased || this.#running === 0;
  }

  *#insert(address: UserAddress, page: Page, isWritable: boolean): Atomic<number> {
    const { isReleased, statistics } = this.#memory;
    if (isReleased) return -EFAULT;
    if (this.#running > 0) {
      statistics.refused++;
      return -EAGAIN;
    }
    return yield* this.#memory.make(address, page, isWritable ? "read-write" : "read-only");
  }

  /** Copies the process's entry, under the page-table lock and then the own one. The mmap lock is held for reading. */
  *#copy(address: UserAddress, access: DeviceAccess): Atomic<number> {
    const { kernel, lock, request } = this.#memory;
    const insert = (page: Page, isWritable: boolean) =>
      lock.with(() => this.#insert(address, page, isWritable));
    return yield* kernel.mappings.withEntry(request.mm, address, (entry) => copyFrom(entry, access, insert));
  }

  /** Invalidations between begin and end (`invalidates` of the skeleton). */
  get #running(): number {
    return this.#memory.kernel.memory.kernel.load32(this.#own);
  }

  set #running(value: number) {
    this.#memory.kernel.memory.kernel.store32(this.#own, value);
  }
}
