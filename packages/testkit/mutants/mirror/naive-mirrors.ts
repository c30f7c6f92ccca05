import {
  type Atomic,
  type DeviceAccess,
  type DeviceFollower,
  type DeviceMirror,
  defineMirror,
  EAGAIN,
  EFAULT,
  type FollowRequest,
  type IntervalSubscription,
  type InvalidateRange,
  isError,
  isGenerator,
  type Kernel,
  type KernelAddress,
  type MmuNotifier,
  type Page,
  type Sleepable,
  type SpinLock,
  type UserAddress,
} from "@nopage/core";
import { DeviceTable } from "./device-table.ts";

/** What a naive mirror leaves out; `nothing` is the control that must pass. */
export type Omission =
  | "nothing"
  | "the count"
  | "the second look at the entry"
  | "the flush of the device's TLB"
  | "the rights of the entry"
  | "the zap at the beginning"
  | "life after release"
  | "the end in the count"
  | "the sequence check"
  | "the lock around the sequence check"
  | "recording the sequence"
  | "the stop of the device"
  | "the zap at release"
  | "the wait for an end"
  | "the wake of who waits"
  | "the answer to registering"
  | "a refusal where it may not sleep"
  | "a spinlock under the page-table lock";

/** How often the form that follows a list looks again. */
const TRIES = 20;

/** A mirror as somebody might write it who leaves one thing out. */
export function naiveMirror(form: "list" | "interval", omission: Omission): DeviceMirror {
  return defineMirror({
    name: `naive ${form} without ${omission}`,
    supports: { accessor: "device", forms: ["sleeping"], holdsOff: form === "list" ? "whole-mm" : "range" },
    create: (kernel) => ({
      *follow(request) {
        const follower =
          form === "list"
            ? new NaiveList(kernel, request, omission)
            : new NaiveInterval(kernel, request, omission);
        const attached = yield* follower.attach();
        const isTaken = attached === 0 || omission === "the answer to registering";
        return isTaken ? follower : attached;
      },
    }),
  });
}

function* stop(request: FollowRequest): Sleepable<void> {
  const answer = request.stop();
  if (isGenerator(answer)) yield* answer;
}

abstract class Naive implements DeviceFollower {
  readonly name = "naive";
  protected readonly kernel: Kernel;
  protected readonly request: FollowRequest;
  protected readonly omission: Omission;
  protected readonly mmu: DeviceTable;
  protected readonly lock: SpinLock;

  constructor(kernel: Kernel, request: FollowRequest, omission: Omission) {
    this.kernel = kernel;
    this.request = request;
    this.omission = omission;
    this.mmu = new DeviceTable(kernel, "naive");
    this.lock = kernel.sync.spinLock("naive lock");
  }

  abstract attach(): Sleepable<number>;
  abstract populate(address: UserAddress, access: DeviceAccess): Sleepable<number>;
  abstract detach(): Sleepable<void>;

  get state() {
    return this.mmu.state;
  }

  translate(address: UserAddress, access: DeviceAccess) {
    return this.mmu.translate(address, access);
  }

  accessed(address: UserAddress, access: DeviceAccess) {
    this.mmu.accessed(address, access);
  }

  // The naive mirrors have no atomic form.
  *populateAtomic(): Atomic<number> {
    return -EAGAIN;
  }

  protected *zap(start: UserAddress, end: UserAddress): Atomic<void> {
    const written = yield* this.mmu.clear(start, end);
    for (const page of written) this.kernel.memory.frames.markDirty(page);
    if (this.omission !== "the flush of the device's TLB") yield* this.mmu.flush(start, end);
  }

  protected *zapAll(): Atomic<void> {
    yield* this.zap(0 as UserAddress, this.kernel.geometry.userEnd as UserAddress);
  }

  protected *install(address: UserAddress, page: Page, isWritable: boolean): Atomic<number> {
    const isFree = isWritable || this.omission === "the rights of the entry";
    yield* this.mmu.insert(address, page, isFree);
    return 0;
  }

  protected *lookUp(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const how = { access, hold: "reference", permission: "checked", waiting: "no-wait" } as const;
    const pages = yield* this.kernel.user.getPages(this.request.mm, address, 1, how);
    if (typeof pages === "number") return pages;
    const page = pages[0];
    if (page === undefined) return -EFAULT;
    yield* this.kernel.user.releasePage(this.request.mm, page, "reference", "clean");
    return page;
  }

  protected *alive(body: () => Sleepable<number>): Sleepable<number> {
    const { mm } = this.request;
    if (!this.kernel.user.tryUse(mm)) return -EFAULT;
    const result = yield* body();
    this.kernel.user.dropLater(mm);
    return result;
  }
}

class NaiveList extends Naive implements MmuNotifier {
  #count = 0;
  readonly #rest = this.kernel.sync.waitQueue("invalidations to end");
  readonly #own: KernelAddress | undefined;

  constructor(kernel: Kernel, request: FollowRequest, omission: Omission) {
    super(kernel, request, omission);
    this.#own = kernel.memory.kmalloc.kzalloc(64);
  }

  *attach(): Sleepable<number> {
    const answer = yield* this.kernel.mappings.registerNotifier(this.request.mm, this);
    if (answer !== 0 && this.omission !== "the answer to registering") this.#free();
    return answer;
  }

  populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    return this.alive(() => this.#populate(address, access));
  }

  *detach(): Sleepable<void> {
    yield* this.kernel.mappings.unregisterNotifier(this.request.mm, this);
    this.#touch();
    if (this.omission !== "life after release") this.#free();
  }

  *invalidateRangeBegin({ start, end }: InvalidateRange): Sleepable<number> {
    const self = this;
    if (this.omission === "a refusal where it may not sleep") yield* this.kernel.time.sleep(1);
    yield* this.lock.with(function* () {
      self.#touch();
      self.#count++;
      if (self.omission !== "the zap at the beginning") yield* self.zap(start, end);
    });
    return 0;
  }

  *invalidateRangeEnd({ start, end }: InvalidateRange): Atomic<void> {
    const self = this;
    yield* this.lock.with(function* () {
      self.#touch();
      if (self.omission !== "the end in the count") self.#count--;
      if (self.omission === "the zap at the beginning") yield* self.zap(start, end);
    });
    if (this.omission !== "the wake of who waits") yield* this.#rest.wakeAll();
  }

  *invalidatePage(): Atomic<void> {
    if (this.omission !== "a spinlock under the page-table lock") return;
    const mutex = this.kernel.sync.mutex("naive mutex");
    for (const _step of mutex.with(function* () {})) throw new Error("nobody else has the mutex");
  }

  *release(): Sleepable<void> {
    if (this.omission !== "the zap at release") yield* this.lock.with(() => this.zapAll());
    if (this.omission !== "the stop of the device") yield* stop(this.request);
    if (this.omission === "life after release") this.#free();
  }

  *#populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const { mm } = this.request;
    if (this.omission === "the second look at the entry") {
      const page = yield* this.lookUp(address, access);
      if (isError(page)) return page;
      return yield* this.lock.with(() => this.#installIfQuiet(address, page as Page, access === "write"));
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const page = yield* this.lookUp(address, access);
      if (isError(page)) return page;
      const result = yield* this.kernel.mappings.reading(mm, () =>
        this.kernel.mappings.withEntry(mm, address, (entry) =>
          this.lock.with(() =>
            entry?.page === undefined || (access === "write" && !entry.isWritable)
              ? this.populateAtomic()
              : this.#installIfQuiet(address, entry.page, entry.isWritable),
          ),
        ),
      );
      if (result !== -EAGAIN) return result;
      if (this.omission === "the wait for an end") yield* this.kernel.time.sleep(10);
      else yield* this.#rest.waitUntil(() => this.lock.with(() => this.#isQuiet()), "uninterruptible");
    }
    return -EAGAIN;
  }

  *#isQuiet(): Atomic<boolean> {
    return this.#count === 0;
  }

  *#installIfQuiet(address: UserAddress, page: Page, isWritable: boolean): Atomic<number> {
    if (this.#count > 0 && this.omission !== "the count") return -EAGAIN;
    return yield* this.install(address, page, isWritable);
  }

  #touch(): void {
    if (this.#own !== undefined) this.kernel.memory.kernel.store32(this.#own, this.#count);
  }

  #free(): void {
    if (this.#own !== undefined) this.kernel.memory.kmalloc.kfree(this.#own);
  }
}

class NaiveInterval extends Naive {
  readonly #subscriptions: IntervalSubscription[] = [];

  *attach(): Sleepable<number> {
    for (const { start, end } of this.request.ranges) {
      const subscription = yield* this.kernel.mappings.insertInterval(this.request.mm, start, end, this);
      if (typeof subscription === "number") return subscription;
      this.#subscriptions.push(subscription);
    }
    return 0;
  }

  populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    return this.alive(() => this.#populate(address, access));
  }

  *detach(): Sleepable<void> {
    for (const subscription of this.#subscriptions) yield* subscription.remove();
    for (const { start, end } of this.request.ranges) yield* this.lock.with(() => this.zap(start, end));
  }

  *invalidate(
    range: InvalidateRange,
    subscription: IntervalSubscription,
    sequence: number,
  ): Sleepable<boolean> {
    const self = this;
    yield* this.lock.with(function* () {
      if (self.omission !== "recording the sequence") yield* subscription.setSequence(sequence);
      yield* self.zap(range.start, range.end);
    });
    if (range.event === "release") yield* stop(this.request);
    return true;
  }

  *#populate(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const subscription = this.#subscriptions.find(({ start, end }) => address >= start && address < end);
    if (subscription === undefined) return -EFAULT;
    for (;;) {
      const sequence = yield* subscription.readBegin();
      const page = yield* this.lookUp(address, access);
      if (isError(page)) return page;
      if (this.omission === "the lock around the sequence check") {
        if (yield* subscription.readRetry(sequence)) continue;
        return yield* this.lock.with(() => this.install(address, page as Page, access === "write"));
      }
      const self = this;
      const result = yield* this.lock.with(function* () {
        const isStale = yield* subscription.readRetry(sequence);
        if (isStale && self.omission !== "the sequence check") return -EAGAIN;
        return yield* self.install(address, page as Page, access === "write");
      });
      if (result !== -EAGAIN) return result;
    }
  }
}
