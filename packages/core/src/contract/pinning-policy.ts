import type { Mm } from "../mm/mm.ts";
import type { MaySleep } from "./execution.ts";
import type { Kernel } from "./kernel.ts";
import type { Page, UserAddress } from "./units.ts";

/** What a pinning policy promises: constant data, every field written out. */
export interface PinningSupports {
  /** What keeps the pages: a plain reference, a pin, the reserved flag, a second address space, or nothing. */
  readonly holdsBy: "reference" | "pin" | "reserved-flag" | "ghost-mm" | "notifier";
  /** What may happen during a transfer without the device ever touching memory that is somebody else's. */
  readonly survives: readonly ("munmap" | "fork" | "exit")[];
  /** Whether the device keeps seeing the process's data after it forked and wrote (GP-04). */
  readonly coherentAfterFork: boolean;
  /** What becomes of the pages when the process dies mid-transfer. */
  readonly onDeath: "kept-until-unpin" | "quarantined" | "device-stopped-first" | "unsafe";
}

/** Pages that a device may touch, until they are given back by `unpin`. */
export interface Pinned {
  readonly mm: Mm;
  readonly start: UserAddress;
  /** One for each page from `start` on. */
  readonly pages: readonly Page[];
  readonly access: PinAccess;
}

/** What the device will do to the pages. */
export type PinAccess = "device-reads" | "device-writes";

/** The policy at work for one device. */
export interface PinningHooks {
  /**
   * Makes `[start, start + pages * pageSize)` safe for DMA (`map_user_kiobuf`, `get_user_pages`, `pin_user_pages`).
   * Called in process context without the mmap lock. Partial success is undone before the error is answered.
   *
   * @returns the token that `unpin` takes, or a negated errno: -EFAULT, -ENOMEM, -EAGAIN
   */
  pin(mm: Mm, start: UserAddress, pages: number, access: PinAccess): MaySleep<Pinned | number>;

  /** Gives the pages back, dirty if the device wrote; once for each token. The process may be gone. */
  unpin(pinned: Pinned, contents: "clean" | "dirty"): MaySleep<void>;
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
