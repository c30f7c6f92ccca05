import type { Atomic } from "../contract/execution.ts";
import type { Page } from "../contract/units.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { ShownFrames } from "./cache-flush.ts";
import type { Mm } from "./mm.ts";
import { countsPoint } from "./page-points.ts";
import { flushTlbRange } from "./tlb-flush.ts";

/**
 * Collects what a removal of entries leaves to be done (`struct mmu_gather`), so that the order is always the same:
 * entries are cleared, then the TLBs are flushed, then the data cache where it needs that, then the pages go (RV-01).
 */
export class Gather {
  readonly #mm: Mm;
  readonly #pages: Page[] = [];
  readonly #shown: ShownFrames;
  #start = Number.POSITIVE_INFINITY;
  #end = 0;
  #isBegun = false;

  /** Prepares a removal; it begins with the first entry that may go. */
  constructor(mm: Mm) {
    this.#mm = mm;
    this.#shown = new ShownFrames(mm);
  }

  /**
   * Begins the removal (`tlb_gather_mmu`), if it has not: to be done before anything is cleared, so that whoever finds
   * an entry gone also finds that its translations may still be there.
   */
  *begin(): Atomic<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    yield* beginFlush(this.#mm);
  }

  /** Entries of `[start, end)` were cleared. */
  cleared(start: number, end: number): void {
    this.#start = Math.min(this.#start, start);
    this.#end = Math.max(this.#end, end);
  }

  /** A cleared entry showed so many pages; others may still do. */
  showed(entry: number, pages: number): void {
    this.#shown.add(entry, pages);
  }

  /** A cleared entry held one reference on `page`, to be dropped after the flush. */
  add(page: Page): void {
    this.#pages.push(page);
  }

  /** Flushes what was cleared so far and drops its pages (`tlb_flush_mmu`). */
  *flush(): Atomic<void> {
    const { machine } = this.#mm;
    const { sched } = machine;
    if (this.#end > this.#start) {
      yield* flushTlbRange(this.#mm, this.#start, this.#end);
      this.#start = Number.POSITIVE_INFINITY;
      this.#end = 0;
    }
    yield* this.#shown.flush();
    for (const page of this.#pages) {
      if (sched.interleaving) yield countsPoint(machine, page, Access.countDown);
      if (machine.memory.frames.put(page) && machine.log.enabled) machine.log.record("page-free", page);
    }
    if (this.#pages.length > 0) this.#pages.length = 0;
  }

  /**
   * Ends the removal (`tlb_finish_mmu`). If another removal is under way in this mm, its entries may be gone while
   * their translations are not: then everything is flushed, so that the caller may rely on what it found empty.
   */
  *finish(): Atomic<void> {
    const mm = this.#mm;
    const { sched } = mm.machine;
    if (!this.#isBegun) return;
    if (sched.interleaving) yield sched.at(ObjectKind.cell, mm.flushCell, Access.read);
    if (mm.flushesPending > 1) this.cleared(0, mm.machine.geometry.userEnd);
    yield* this.flush();
    yield* endFlush(mm);
  }
}

/** Says that entries may be gone from now on whose translations are not (`inc_tlb_flush_pending`). */
export function* beginFlush(mm: Mm): Atomic<void> {
  const { sched } = mm.machine;
  if (sched.interleaving) yield sched.at(ObjectKind.cell, mm.flushCell, Access.countUp);
  mm.flushesPending++;
}

/** Says that they have been flushed (`dec_tlb_flush_pending`). */
export function* endFlush(mm: Mm): Atomic<void> {
  const { sched } = mm.machine;
  if (sched.interleaving) yield sched.at(ObjectKind.cell, mm.flushCell, Access.countDown);
  mm.flushesPending--;
}
