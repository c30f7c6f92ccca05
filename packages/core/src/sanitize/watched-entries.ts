import type { Page, Pfn, UserAddress } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import type { Mm } from "../mm/mm.ts";
import { PTE_PFN_UNIT, PTE_PRESENT, type Pte, ptePfn } from "../mmu/pte.ts";
import type { FrameHistory } from "./frame-history.ts";

/** A frame as it was when an entry or a translation was made for it. */
interface Stamp {
  readonly pfn: Pfn;
  /** How often the frame had been freed. */
  readonly generation: number;
}

/** Entries that were written at once. */
interface WrittenRun {
  /** The first of them. */
  readonly slot: number;
  readonly vpn: number;
  readonly entry: Pte;
  readonly count: number;
}

/**
 * What page-table entries and cached translations were made for, held against what they lead to later: a frame that was freed
 * and handed out anew is somebody else's, though the number is the same. And whether what a process gets to see was ever
 * written: otherwise it sees what the last owner left there.
 */
export class WatchedEntries {
  readonly #machine: Machine;
  /** Undefined where reports are brief. */
  readonly #history: FrameHistory | undefined;
  /** By slot of the table pool. */
  readonly #made = new Map<number, Stamp>();
  /** By place in the TLBs; see `#placeOf`. */
  readonly #cached = new Map<number, Stamp>();
  /** Frames that were shown without ever having been written, by the generation for which it was said. */
  readonly #shown = new Map<Pfn, number>();
  /** Translations that were reported, by frame and generation. */
  readonly #reported = new Set<string>();

  constructor(machine: Machine, history: FrameHistory | undefined) {
    this.#machine = machine;
    this.#history = history;
  }

  /** Empty entries that lie side by side are written, for frames that lie side by side. */
  writesRun(mm: Mm, { slot, vpn, entry, count }: WrittenRun): void {
    for (let at = 0; at < count; at++) this.writes(mm, slot + at, vpn + at, entry + at * PTE_PFN_UNIT, 0);
  }

  /** An entry is written in place of another; of a large leaf, only the first frame is looked at. */
  writes(mm: Mm, slot: number, vpn: number, entry: Pte, before: Pte): void {
    const { frames } = this.#machine.memory;
    if ((entry & PTE_PRESENT) === 0) {
      this.#made.delete(slot);
      return;
    }
    const pfn = ptePfn(entry);
    if (!frames.isRam(pfn)) return;
    // Other flags do not make it a new entry.
    const isSame = before !== 0 && ptePfn(before) === pfn && this.#made.get(slot)?.pfn === pfn;
    if (!isSame) this.#made.set(slot, { pfn, generation: frames.generation[pfn] });
    if (!mm.isGhost) this.#checkContents(mm, vpn, pfn);
  }

  /** A TLB caches the entry in `slot` of the tables, in its own slot `cached`, as a translation to `pfn`. */
  filled(cpu: number, cached: number, slot: number, pfn: Pfn): void {
    const { frames } = this.#machine.memory;
    const made = this.#made.get(slot);
    const generation = made?.pfn === pfn ? made.generation : frames.generation[pfn];
    const place = this.#placeOf(cpu, cached);
    if (frames.isRam(pfn)) this.#cached.set(place, { pfn, generation });
    else this.#cached.delete(place);
  }

  /** Whether a translation that is being used was made for the frame as it is now. */
  isCurrent(cpu: number, cached: number, pfn: Pfn): boolean {
    const stamp = this.#cached.get(this.#placeOf(cpu, cached));
    return stamp?.pfn !== pfn || stamp.generation === this.#machine.memory.frames.generation[pfn];
  }

  /** Whether this is the first time that a bad translation to the frame, as it is now, is used. */
  isNews(pfn: Pfn): boolean {
    const key = `${pfn} ${this.#machine.memory.frames.generation[pfn]}`;
    if (this.#reported.has(key)) return false;
    this.#reported.add(key);
    return true;
  }

  /** A number for a slot of a CPU's TLB. */
  #placeOf(cpu: number, cached: number): number {
    return cached * this.#machine.tlbs.length + cpu;
  }

  #checkContents(mm: Mm, vpn: number, pfn: Pfn): void {
    const { frames } = this.#machine.memory;
    if (!frames.isAllocated(pfn) || frames.initialisedBytes(pfn) >= frames.pageSize) return;
    if (this.#shown.get(pfn) === frames.generation[pfn]) return;
    this.#shown.set(pfn, frames.generation[pfn]);
    const address = (vpn * frames.pageSize) as UserAddress;
    const written = frames.initialisedBytes(pfn);
    const known = written === 0 ? "nothing" : `only the first ${written} bytes`;
    this.#machine.violations.report(
      "uninitialised",
      `${frames.describe(pfn as number as Page)} is shown to ${mm.name} at 0x${address.toString(16)}, and ${known} of it has been written since it was handed out`,
      { frame: pfn, earlier: this.#history?.handedOut(pfn) },
    );
  }
}
