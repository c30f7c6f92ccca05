import type { Mm } from "../mm/mm.ts";
import type { Atomic, MaySleep, Sleepable } from "./execution.ts";
import type { Kernel } from "./kernel.ts";
import type { Pfn, UserAddress } from "./units.ts";

/** What a device does with memory that it reaches by a process's addresses. */
export type DeviceAccess = "read" | "write";

/** A device's own MMU, as its DMA engine sees it. */
export interface DmaTranslator {
  /** What a look-up reads, as the scheduler knows it. */
  readonly state: { readonly index: number };
  /**
   * The frame behind an address: hardware answers from its TLB, or walks its own page table. Undefined is a device fault.
   * It may be asked more than once before the access, and without one; what it knows may change in between.
   */
  translate(address: UserAddress, access: DeviceAccess): Pfn | undefined;
  /**
   * The device goes by what `translate` has just answered, in the same step: it moves data, or takes the fault. Here hardware
   * sets the dirty bit.
   */
  accessed?(address: UserAddress, access: DeviceAccess): void;
}

/** `[start, end)` in one process. */
export interface FollowedRange {
  readonly start: UserAddress;
  readonly end: UserAddress;
}

/** Which memory of which process a device is to reach. */
export interface FollowRequest {
  readonly mm: Mm;
  /** Page-aligned and disjoint; nothing outside of them is ever populated. */
  readonly ranges: readonly FollowedRange[];
  /**
   * The process is going: stops the device, before the first of its pages is freed. Called once, after the last
   * translation is gone. It must not wait for anybody who drops a use of the mm or stops following (MN-17).
   */
  stop(): MaySleep<void>;
}

/**
 * A device's translations of a process's memory, kept true by a notifier: at every moment a subset of what the
 * process's own page table says, never with more rights (`svm`, HMM, on-demand paging of RDMA).
 */
export interface DeviceFollower extends DmaTranslator {
  /**
   * Makes the entry for an address from what the process has there, without sleeping: for a caller that may not.
   *
   * @returns 0; -EAGAIN when the mmap lock is taken, an invalidation is under way, or there is no entry to copy that
   *   allows the access; -EFAULT outside of what is followed, and once the process is gone; -ENOMEM
   */
  populateAtomic(address: UserAddress, access: DeviceAccess): Atomic<number>;

  /**
   * The same, faulting the page in and waiting for invalidations. It waits at no gate, because the caller may be the
   * one to open it. Without the mmap lock.
   *
   * @returns 0; -EAGAIN for a page behind a closed gate; -EFAULT for what cannot be reached, and once the process is
   *   gone; -ENOMEM
   */
  populate(address: UserAddress, access: DeviceAccess): Sleepable<number>;

  /**
   * Stops following; afterwards no callback runs and the follower's memory is free. Once, and not from a callback. Whoever
   * populates at this moment makes no entry any more, and is answered -EFAULT.
   */
  detach(): Sleepable<void>;
}

/** What a mirror can do: constant data, every field written out. */
export interface MirrorSupports {
  /** The device touches process memory; through a `MappingStrategy` it is the other way round. */
  readonly accessor: "device";
  readonly forms: readonly ("atomic" | "sleeping")[];
  /** What an invalidation holds off: every populate in the mm, or those in ranges that it touches. */
  readonly holdsOff: "whole-mm" | "range";
}

/** The mirror at work for one device. */
export interface MirrorHooks {
  /**
   * Begins to follow. Takes the mmap lock itself (MN-16).
   *
   * @returns the follower, with no entries yet; -EFAULT for a process that is gone, -ENOMEM
   */
  follow(request: FollowRequest): Sleepable<DeviceFollower | number>;
}

/** A way for a device to use a process's memory through an MMU of its own: a plugin. */
export interface DeviceMirror {
  readonly name: string;
  readonly supports: MirrorSupports;
  create(kernel: Kernel): MirrorHooks;
}

/** Declares a mirror. */
export function defineMirror<M extends DeviceMirror>(mirror: M): M {
  return mirror;
}
