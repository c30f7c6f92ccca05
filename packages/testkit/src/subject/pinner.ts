import type { PinningEvent, PinningSupports } from "@nopage/core";
import type { Steps } from "../program/operation.ts";

/** Memory that a device holds; only the pinner knows what it is. */
export interface Pinned {
  readonly pages: number;
}

/** What a pinner promises, in both directions; the words are those of `PinningSupports`. */
export interface PinnerSupports {
  /** Whether it holds the pages; otherwise the device follows the process, and what the process unmaps is gone for it. */
  readonly holds: "pages" | "nothing";
  /** What may happen during a transfer without harm, with the kernel's rules for reserved pages as they are here. */
  readonly survives: readonly PinningEvent[];
  readonly coherentAfterFork: boolean;
  readonly onDeath: PinningSupports["onDeath"];
  /** Whether what it holds counts against the process's limit on locked memory (RC-08). */
  readonly charged: boolean;
}

/**
 * A device that holds pages of the calling process for itself and reads and writes them: `io_uring` with registered buffers on
 * a stock kernel; a pinning policy's own device on the model. What a process holds when it dies is given back when its
 * files are released, which is after its memory has gone; until then the device is at work on it.
 */
export interface Pinner {
  readonly name: string;
  readonly supports: PinnerSupports;
  /** Holds pages from `address` on; a negated errno with nothing held. */
  pin(address: number, pages: number, access: "read" | "write"): Steps<Pinned | number>;
  unpin(pinned: Pinned): Steps<void>;
  /** The device reads the first word of a held page: the word, or a negated errno. */
  deviceRead(pinned: Pinned, page: number): Steps<number>;
  /** The device stores the first word of a held page: 0, or a negated errno. */
  deviceWrite(pinned: Pinned, page: number, value: number): Steps<number>;
  /** Pages that are pinned and not unpinned at present, of all processes. */
  held(): Steps<number>;
  /** How often the device was told to stop because a process went. */
  stops(): Steps<number>;
  /** Pages of dead processes that are kept although they were unpinned. */
  quarantined(): Steps<number>;
  /** The device can touch memory no more: what is in quarantine goes back. */
  endService(): Steps<void>;
}
