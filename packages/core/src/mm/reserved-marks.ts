import type { Page } from "../contract/units.ts";
import type { Frames } from "../memory/frames.ts";
import { PG_reserved } from "../memory/page-flags.ts";

/** One page that drivers have marked. */
interface Mark {
  /** Drivers that have it marked: the flag goes with the last. */
  holders: number;
  /** References of entries that unmapping has left standing since. */
  spared: number;
  /** Entries that a fork has copied, without a reference of their own. */
  uncounted: number;
  /** Whether the flag was set before, and so stays. */
  readonly wasReserved: boolean;
}

/**
 * The pages that drivers have marked reserved for the time of a transfer (idea 2 of the 1998 question), with what the flag
 * has spared: an entry's reference that unmapping leaves alone is nobody's, and who set the flag has to drop it.
 */
export class ReservedMarks {
  readonly #frames: Frames;
  readonly #marks = new Map<Page, Mark>();

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** Sets the flag (`SetPageReserved`). Marks nest. */
  mark(page: Page): void {
    const known = this.#marks.get(page);
    if (known !== undefined) known.holders++;
    else {
      const wasReserved = this.#frames.hasFlags(page, PG_reserved);
      this.#marks.set(page, { holders: 1, spared: 0, uncounted: 0, wasReserved });
    }
    this.#frames.setFlags(page, PG_reserved);
  }

  /** A fork has copied an entry of the page, and taken no reference. */
  copy(page: Page): void {
    const known = this.#marks.get(page);
    if (known !== undefined) known.uncounted++;
  }

  /** An entry of the page went, and left the reference standing that it had, if it had one. */
  spare(page: Page): void {
    const known = this.#marks.get(page);
    if (known === undefined) return;
    if (known.uncounted > 0) known.uncounted--;
    else known.spared++;
  }

  /**
   * Takes a mark back; with the last one the flag goes (`ClearPageReserved`).
   *
   * @returns the references that the caller has to drop
   */
  unmark(page: Page): number {
    const known = this.#marks.get(page);
    if (known === undefined || --known.holders > 0) return 0;
    this.#marks.delete(page);
    if (known.wasReserved) return 0;
    this.#frames.clearFlags(page, PG_reserved);
    return known.spared;
  }
}
