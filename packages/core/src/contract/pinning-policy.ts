import type { Mm } from "../mm/mm.ts";
import type { DeviceFollower } from "./device-follower.ts";
import type { MaySleep } from "./execution.ts";
import type { Kernel } from "./kernel.ts";
import type { Page, UserAddress } from "./units.ts";

export type { Mm } from "../mm/mm.ts";
export type { PageRequest } from "../mm/pin.ts";

/** What a process may do, or suffer, while a device works on its pages. */
export type PinningEvent = "munmap" | "fork" | "exit";

/**
 * What a pinning policy promises: constant data, every field written out. Claiming less than the truth is as wrong as
 * claiming more.
 */
export interface PinningSupports {
  /** What keeps the pages: a plain reference, a pin, the reserved flag, a second address space, or nothing. */
  readonly holdsBy: "reference" | "pin" | "reserved-flag" | "ghost-mm" | "notifier";
  /**
   * What may happen during a transfer without the device ever touching memory that is somebody else's, without a page
   * lost for good, and without any rule of the machine broken. This is about safety and not about the data: a policy that
   * holds nothing survives a munmap by cutting the transfer short, one that holds the pages by completing it into memory
   * that nobody maps any more.
   */
  readonly survives: readonly PinningEvent[];
  /**
   * The same on a machine with the rules for reserved pages of 2.4 or 2.6.11. It differs from `survives` only for who
   * relies on the reserved flag.
   */
  readonly survivesOnLegacy: readonly PinningEvent[];
  /** Whether the device keeps seeing the process's data after it forked and wrote (GP-04), with today's rules. */
  readonly coherentAfterFork: boolean;
  /**
   * What becomes of the pages when the process dies mid-transfer, on a machine with today's rules.
   *
   * - `kept-until-unpin`: they stay until the driver gives them back, and are free then.
   * - `quarantined`: they stay beyond that, until the driver says that the device has stopped for good.
   * - `device-stopped-first`: the device lets go of them before the process does; it may not be waited for.
   * - `unsafe`: nothing is promised. The run's report says what happened.
   */
  readonly onDeath: "kept-until-unpin" | "quarantined" | "device-stopped-first" | "unsafe";
  /** Whether held pages count against the process's limit on locked memory; -ENOMEM above it (RC-08). */
  readonly charged: boolean;
}

/** Pages that a device may touch, until they are given back by `unpin`. */
export interface Pinned {
  readonly mm: Mm;
  readonly start: UserAddress;
  /** One for each page from `start` on; none where nothing is held and the device follows. */
  readonly pages: readonly Page[];
  /** The device's own translations, by which it reaches what is not held. */
  readonly follower?: DeviceFollower;
  readonly access: PinAccess;
}

/** What the device will do to the pages. */
export type PinAccess = "device-reads" | "device-writes";

/** What a policy keeps of processes that are gone. */
export interface Quarantined {
  /** Tokens whose process died before `unpin`. */
  readonly tokens: number;
  readonly pages: number;
}

/** The policy at work for one device. The last two are for policies that quarantine, and left out by all others. */
export interface PinningHooks {
  /**
   * Makes `[start, start + pages * pageSize)` safe for DMA (`map_user_kiobuf`, `get_user_pages`, `pin_user_pages`).
   * Called in process context without the mmap lock. Partial success is undone before the error is answered.
   *
   * @param stop for a policy that holds nothing: stops the device when the process goes; see `FollowRequest.stop`
   * @returns the token that `unpin` takes, or a negated errno: -EFAULT, -ENOMEM, -EAGAIN
   */
  pin(
    mm: Mm,
    start: UserAddress,
    pages: number,
    access: PinAccess,
    stop?: () => MaySleep<void>,
  ): MaySleep<Pinned | number>;

  /** Gives the pages back, dirty if the device wrote; once for each token. The process may be gone. */
  unpin(pinned: Pinned, contents: "clean" | "dirty"): MaySleep<void>;

  /** What is in quarantine at present. */
  quarantined?(): Quarantined;

  /**
   * The device was taken out of service, reset or unplugged: it cannot touch memory any more, whatever it was told
   * before. Frees what is in quarantine (`zx_bti_release_quarantine`). Called by the driver, after the last `unpin`.
   */
  releaseQuarantine?(): MaySleep<void>;
}

/** A way to keep a process's pages under a DMA transfer: a plugin. */
export interface PinningPolicy {
  readonly name: string;
  readonly supports: PinningSupports;
  create(kernel: Kernel): PinningHooks;
}

/** Declares a pinning policy. */
export function definePinningPolicy<P extends PinningPolicy>(policy: P): P {
  return policy;
}
