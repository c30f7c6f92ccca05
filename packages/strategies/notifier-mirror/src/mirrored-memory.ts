import { isGenerator, type SpinLock } from "@nopage/core";
import {
  type Atomic,
  type DeviceAccess,
  EFAULT,
  type FollowRequest,
  type Kernel,
  type Page,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import { DeviceMmu } from "./device-mmu.ts";

/** What a follower has done, in numbers that do not depend on time. */
export interface MirrorStatistics {
  /** Range invalidations that it was told of. */
  readonly invalidations: number;
  /** Attempts to make an entry that an invalidation turned away. */
  readonly refused: number;
  /** Entries made. */
  readonly made: number;
}

/**
 * What both forms of following have in common: the device's table, the lock that guards it (`my_mmu.lock`), and the
 * way to reach the mm.
 */
export class MirroredMemory {
  readonly kernel: Kernel;
  readonly request: FollowRequest;
  readonly mmu: DeviceMmu;
  /** Guards the table, and what a form keeps to tell whether an entry may be made. Taken under the page-table lock. */
  readonly lock: SpinLock;
  /** The process is gone, or nobody follows it any more: no entry is made. Guarded by the lock. */
  isReleased = false;
  readonly statistics: { -readonly [K in keyof MirrorStatistics]: number } = {
    invalidations: 0,
    refused: 0,
    made: 0,
  };

  #isStopped = false;

  constructor(kernel: Kernel, request: FollowRequest, name: string) {
    this.kernel = kernel;
    this.request = request;
    this.mmu = new DeviceMmu(kernel, name);
    this.lock = kernel.sync.spinLock(`${name} lock`);
  }

  /** The start of the page that an address is in. */
  pageAt(address: UserAddress): UserAddress {
    return (address - (address % this.kernel.geometry.pageSize)) as UserAddress;
  }

  /** Writes an entry: 0 or -ENOMEM. With the lock held, and nothing under way that would take the page back. */
  *make(address: UserAddress, page: Page, rights: "read-only" | "read-write"): Atomic<number> {
    const inserted = yield* this.mmu.insert(address, page, rights);
    if (inserted === 0) this.statistics.made++;
    return inserted;
  }

  /**
   * Takes away what the device has of `[start, end)`, with the lock held. All pages still have a reference here
   * (MN-04), so those that the device wrote can be marked dirty.
   */
  *zap(start: UserAddress, end: UserAddress): Atomic<void> {
    const { frames } = this.kernel.memory;
    const gone = yield* this.mmu.clear(start, end);
    yield* this.mmu.flush(start, end);
    for (const { page, isDirty } of gone) if (isDirty) frames.markDirty(page);
  }

  /** Takes everything away. */
  *zapAll(): Atomic<void> {
    yield* this.zap(0 as UserAddress, this.kernel.geometry.userEnd as UserAddress);
  }

  /** Stops the device, once. */
  *stop(): Sleepable<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const answer = this.request.stop();
    if (isGenerator(answer)) yield* answer;
  }

  /** Has a fault taken for the device: 0 once there is a page that allows the access, or a negated errno. */
  *faultIn(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const page = yield* this.holdPage(address, access);
    if (page < 0) return page;
    yield* this.giveBack(page as Page);
    return 0;
  }

  /** The page behind an address with a reference, faulted in if need be; or a negated errno. */
  *holdPage(address: UserAddress, access: DeviceAccess): Sleepable<number> {
    const how = { access, hold: "reference", permission: "checked", waiting: "no-wait" } as const;
    const pages = yield* this.kernel.user.getPages(this.request.mm, address, 1, how);
    return typeof pages === "number" ? pages : (pages[0] ?? -EFAULT);
  }

  *giveBack(page: Page): Atomic<void> {
    yield* this.kernel.user.releasePage(this.request.mm, page, "reference", "clean");
  }

  /**
   * Takes one use of the mm, for an address that is followed (MN-13): 0, and `leave` is to be called; or -EFAULT.
   */
  enter(address: UserAddress): number {
    const { mm, ranges } = this.request;
    if (!ranges.some(({ start, end }) => address >= start && address < end)) return -EFAULT;
    return this.kernel.user.tryUse(mm) ? 0 : -EFAULT;
  }

  /**
   * Gives the use back without taking the address space down here: the caller may be the one that its exit waits for
   * (MN-17).
   */
  leave(): void {
    this.kernel.user.dropLater(this.request.mm);
  }
}
