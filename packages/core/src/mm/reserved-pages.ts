import type { Page } from "../contract/units.ts";
import type { Frames } from "../memory/frames.ts";
import { PG_reserved } from "../memory/page-flags.ts";
import { ReservedMarks } from "./reserved-marks.ts";

/** Which kernel's treatment of reserved pages (`PG_reserved`) the machine follows. */
export type ReservedPageRules = "6.1" | "2.6.11" | "2.4";

/**
 * What the reserved flag changes.
 *
 * 6.1: nothing (RS-01). Up to 2.6.11 unmapping leaves the count of a reserved page alone, remap skips ordinary RAM in
 * silence (RS-02), and get_user_pages takes no reference on a reserved page (RS-04, the last paragraph of the 2004
 * mail). 2.4 and before also raise rss for a reserved page that nopage answers with, and never take it back (RS-03).
 */
export class ReservedPages {
  readonly rules: ReservedPageRules;
  readonly marks: ReservedMarks;
  readonly #frames: Frames;

  constructor(rules: ReservedPageRules, frames: Frames) {
    this.rules = rules;
    this.#frames = frames;
    this.marks = new ReservedMarks(frames);
  }

  #isSpared(page: Page): boolean {
    return this.rules !== "6.1" && this.#frames.hasFlags(page, PG_reserved);
  }

  /** Whether mapping or zapping the page changes rss. */
  countsInRss(page: Page, direction: "map" | "zap"): boolean {
    if (!this.#isSpared(page)) return true;
    return this.rules === "2.4" && direction === "map";
  }

  /** Whether unmapping the page drops the reference that its entry held. */
  dropsReference(page: Page): boolean {
    return !this.#isSpared(page);
  }

  /** Whether get_user_pages takes a reference on the page. */
  takesReference(page: Page): boolean {
    return !this.#isSpared(page);
  }

  /** Whether a touched page without entry and without a hook to ask becomes anonymous memory, whosever area it is. */
  get fillsHoles(): boolean {
    return this.rules !== "6.1";
  }

  /** Whether remap maps this frame of RAM at all. */
  remapMaps(page: Page | undefined): boolean {
    return this.rules === "6.1" || page === undefined || this.#frames.hasFlags(page, PG_reserved);
  }
}
