import type { OpenFile, Pinned } from "@nopage/core/contract";
import { DMA_TRANSLATED, DMA_WINDOW_BYTES } from "../card/edu-registers.ts";
import type { HighwayRequest } from "./ioctl.ts";

/**
 * How far a transfer is. Guarded by the device's lock.
 *
 * - `running`: the card moves a chunk, or its interrupt is on the way.
 * - `faulted`: the card is at rest at an address that it has no translation for; the worker makes one.
 * - `stopped`: the card is at rest; the rest is the worker's.
 * - `settled`: the pages were given back; the result stands.
 * - `over`: the mapping is usable again and the card free for others.
 */
export type TransferStage = "running" | "faulted" | "stopped" | "settled" | "over";

/** A piece of the user's buffer that is one DMA transfer: at most 4 KiB and never across a page. */
export interface Fragment {
  /** On the bus; or in the process, where the card translates. */
  readonly address: number;
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
  /** Bytes of the chunk that the card has still to move. */
  chunk = 0;
  /** Where in the card's window they begin. */
  chunkStart = 0;
  /** Why the transfer cannot go on, a negated errno; 0 as long as it can. */
  failure = 0;
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

  /** How the card is to take addresses: `DMA_TRANSLATED` where nothing is held and it follows the process. */
  get addressing(): number {
    return this.pinned.follower === undefined ? 0 : DMA_TRANSLATED;
  }

  /** The address of the process that the next byte goes to. */
  get position(): number {
    return this.request.buffer + this.done;
  }

  /** Where the next bytes go; undefined when all have been moved. */
  nextFragment(): Fragment | undefined {
    const left = this.request.bytes - this.done;
    if (left <= 0) return undefined;
    const pageSize = this.#pageSize;
    const at = (this.request.buffer % pageSize) + this.done;
    const inPage = at % pageSize;
    const bytes = Math.min(left, pageSize - inPage, DMA_WINDOW_BYTES);
    if (this.pinned.follower !== undefined) return { address: this.position, bytes };
    return { address: this.pinned.pages[Math.floor(at / pageSize)] * pageSize + inPage, bytes };
  }
}

/** Pages that a buffer touches. */
export function pagesTouched({ buffer, bytes }: HighwayRequest, pageSize: number): number {
  return Math.ceil(((buffer % pageSize) + bytes) / pageSize);
}
