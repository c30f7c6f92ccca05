import type { UserThread } from "@nopage/core";
import { isTrap, type Sleepable } from "@nopage/core/contract";
import type { Recording } from "../card/measurement-interface.ts";
import {
  INTERFACE_MAGIC,
  interfaceOffset,
  measurement,
  REGION_MAGIC,
  region,
  SAMPLE_BYTES,
} from "../card/measurement-registers.ts";
import { wordAt } from "../card/word-at.ts";
import type { TouchRecord } from "./touch-record.ts";

/**
 * Looks at the mapped measurement region, and knows what must be there: whoever reads a stale page, another page or a
 * region that DMA disturbs reads something else.
 */
export class RegionWatcher {
  readonly #thread: UserThread;
  readonly #base: number;
  readonly #interfaces: number;
  readonly #recordings: readonly Recording[];
  readonly #record: TouchRecord;

  constructor(
    thread: UserThread,
    base: number,
    interfaces: number,
    recordings: readonly Recording[],
    record: TouchRecord,
  ) {
    this.#thread = thread;
    this.#base = base;
    this.#interfaces = interfaces;
    this.#recordings = recordings;
    this.#record = record;
  }

  /** One look: at the region's head, or at an interface; `turn` counts up and decides at which. */
  *look(turn: number): Sleepable<void> {
    const part = turn % (this.#recordings.length + 1);
    if (part === 0) yield* this.#lookAtHead();
    else yield* this.#lookAtInterface(part - 1, turn);
  }

  *#lookAtHead(): Sleepable<void> {
    this.#expect(yield* this.#touch(region.magic), REGION_MAGIC);
    this.#expect(yield* this.#touch(region.interfaces), this.#interfaces);
  }

  /** A sample means something only if the position was the same before and after. */
  *#lookAtInterface(index: number, turn: number): Sleepable<void> {
    const base = interfaceOffset(index);
    this.#expect(yield* this.#touch(base + measurement.identification), INTERFACE_MAGIC + index);
    const offset = (turn * 4) % SAMPLE_BYTES;
    const before = yield* this.#touch(base + measurement.position);
    const sample = yield* this.#touch(base + measurement.samples + offset);
    const after = yield* this.#touch(base + measurement.position);
    if (before === undefined || before !== after) return;
    this.#expect(sample, wordAt(this.#recordings[index].bytes, before + offset));
  }

  #expect(value: number | undefined, expected: number): void {
    if (value !== undefined && value !== expected) this.#record.wrongValues++;
  }

  /** The word at an offset of the region; undefined when the load trapped. */
  *#touch(offset: number): Sleepable<number | undefined> {
    const { sched } = this.#thread.machine;
    const start = sched.now;
    const value = yield* this.#thread.load(this.#base + offset);
    if (isTrap(value)) {
      this.#record.addTrap(value, sched.now - start);
      return undefined;
    }
    this.#record.addValue(sched.now - start);
    return value;
  }
}
