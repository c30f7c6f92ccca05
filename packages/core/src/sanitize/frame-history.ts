import type { Pfn } from "../contract/units.ts";
import type { FrameStore } from "../memory/frame-store.ts";
import type { Moment } from "./operation.ts";

/** Who handed each frame out last, and who freed it: the operation that a use after free, a double free or a leak met. */
export class FrameHistory {
  readonly #frames: FrameStore;
  readonly #moment: (what: string) => Moment;
  readonly #handedOut: (Moment | undefined)[] = [];
  readonly #freed: (Moment | undefined)[] = [];

  constructor(frames: FrameStore, moment: (what: string) => Moment) {
    this.#frames = frames;
    this.#moment = moment;
    frames.onChange = (pfn, to) => this.#note(pfn, to);
  }

  /** What was last done with a frame: it was freed if it is free, otherwise handed out. */
  last(pfn: Pfn): Moment | undefined {
    return this.#frames.isAllocated(pfn) ? this.#handedOut[pfn] : this.#freed[pfn];
  }

  /** When the frame was freed last; undefined when it never was. */
  freed(pfn: Pfn): Moment | undefined {
    return this.#freed[pfn];
  }

  /** When the frame was handed out last; undefined when it never was. */
  handedOut(pfn: Pfn): Moment | undefined {
    return this.#handedOut[pfn];
  }

  #note(pfn: Pfn, to: "owner" | "nobody"): void {
    if (to === "owner") this.#handedOut[pfn] = this.#moment("hands the frame out");
    else this.#freed[pfn] = this.#moment("frees the frame");
  }
}
