import type { BusAddress, OpenFile, Pinned } from "@nopage/core/contract";
import { DMA_WINDOW_BYTES } from "../card/edu-registers.ts";
import type { HighwayRequest } from "./ioctl.ts";

/**
 * How far a transfer is. Guarded by the device's lock.
 *
 * - `running`: the card moves a chunk, or its interrupt is on the way.
 * - `stopped`: the card is at rest; the rest is the worker's.
 * - `settled`: the pages were given back; the result stands.
 * - `over`: the mapping is usable again and the card free for others.
 */
export type TransferStage = "running" | "stopped" | "settled" | "over";

/** A piece of the user's buffer that is one DMA transfer: at most 4 KiB and never across a page. */
export interface Fragment {
  readonly address: BusAddress;
  readonly bytes: number;
}

/** One acquisition: from the pinned buffer to the result. */
export class Transfer {
  readonly file: OpenFile;
  readonly request: HighwayRequest;
  readonly pinned: Pinned;
  stage: TransferStage = "running";
  /** Somebody wants it stopped; no further chunk is started. */
  isAborted = false;
  /** Bytes of the chunk that the card works on. */
  chunk = 0;
  /** Bytes moved so far. */
  done = 0;
  /** Bytes moved in the end, or a negated errno; valid from `settled` on. */
  result = 0;
  readonly #pageSize: number;

  constructor(file: OpenFile, request: HighwayRequest, pinned: Pinned, pageSize: number) {
    this.file = file;
    this.request = request;
    this.pinned = pinned;
    this.#pageSize = pageSize;
  }

  /** Where the next bytes go; undefined when all have been moved. */
  nextFragment(): Fragment | undefined {
    const left = this.request.bytes - this.done;
    if (left <= 0) return undefined;
    const pageSize = this.#pageSize;
    const at = (this.request.buffer % pageSize) + this.done;
    const inPage = at % pageSize;
    const page = this.pinned.pages[Math.floor(at / pageSize)];
    return {
      address: (page * pageSize + inPage) as BusAddress,
      bytes: Math.min(left, pageSize - inPage, DMA_WINDOW_BYTES),
    };
  }
}

/** Pages that a buffer touches. */
export function pagesTouched({ buffer, bytes }: HighwayRequest, pageSize: number): number {
  return Math.ceil(((buffer % pageSize) + bytes) / pageSize);
}
