import type { Steps } from "../program/operation.ts";

/** Memory that a device holds; only the pinner knows what it is. */
export interface Pinned {
  readonly pages: number;
}

/**
 * A device that holds pages of the calling process for itself and reads and writes them: `io_uring` with registered buffers on
 * a stock kernel; a pinning policy's own device on the model.
 */
export interface Pinner {
  readonly name: string;
  /** Whether a fork must leave the device and the parent with the same page (GP-04). */
  readonly survivesFork: boolean;
  /** Whether the held pages outlive munmap, `[address, address + pages)` included. */
  readonly survivesUnmap: boolean;
  /** Holds pages from `address` on; a negated errno with nothing held. */
  pin(address: number, pages: number, access: "read" | "write"): Steps<Pinned | number>;
  unpin(pinned: Pinned): Steps<void>;
  /** The device reads the first word of a held page: the word, or a negated errno. */
  deviceRead(pinned: Pinned, page: number): Steps<number>;
  /** The device stores the first word of a held page: 0, or a negated errno. */
  deviceWrite(pinned: Pinned, page: number, value: number): Steps<number>;
  /** Pages held at present by all processes. */
  held(): Steps<number>;
}
