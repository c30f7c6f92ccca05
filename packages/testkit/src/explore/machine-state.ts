import {
  areaFlagNames,
  type Gate,
  type Machine,
  type Mm,
  type Page,
  PTE_READ,
  PTE_SPECIAL,
  PTE_WRITE,
  ptePfn,
  visitEntries,
} from "@nopage/core";

/** What is shown of a machine: areas, page-table entries, TLBs, counts of frames and processes, gates. */
export type StateKind = "area" | "entry" | "tlb" | "count" | "gate";

/** One thing that a step has changed. */
export interface StateChange {
  readonly kind: StateKind;
  /** What it is, such as `law/0 at 0x7fffb000`. */
  readonly of: string;
  /** How it was and how it is, in words; undefined where it was not or is no more. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** How much there is of some things after a step. */
export interface MachineCounters {
  /** Page faults that are over, however they ended. */
  readonly faults: number;
  /** Page-table entries that map memory. */
  readonly entries: number;
  /** Pins of all frames. */
  readonly pins: number;
}

/** By kind and name, how each thing is. */
type State = Map<string, { readonly kind: StateKind; readonly of: string; readonly is: string }>;

/** Follows the state of a machine through a run. It only looks, and announces nothing. */
export class StateFollower {
  readonly #machine: Machine;
  /** Gates that some area stood behind. */
  readonly #gates = new Set<Gate>();
  /** Frames that some entry or TLB named, or somebody pinned: they are followed to their end. */
  readonly #frames = new Set<Page>();
  #state: State = new Map();
  #entries = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** What has changed since this was asked last, in a fixed order; at first, all that there is. */
  changes(): readonly StateChange[] {
    const before = this.#state;
    const after = this.#look();
    this.#state = after;
    const changes: StateChange[] = [];
    for (const [key, { kind, of, is }] of after) {
      const was = before.get(key)?.is;
      if (was !== is) changes.push({ kind, of, before: was, after: is });
    }
    for (const [key, { kind, of, is }] of before) {
      if (!after.has(key)) changes.push({ kind, of, before: is, after: undefined });
    }
    return changes;
  }

  /** What there was to be counted when changes were last asked for. */
  counters(): MachineCounters {
    const { memory, stats } = this.#machine;
    const pins = memory.frames.pincount.reduce((sum, count) => sum + count, 0);
    return { faults: stats.faults, entries: this.#entries, pins };
  }

  #look(): State {
    const state: State = new Map();
    this.#entries = 0;
    const say = (kind: StateKind, of: string, is: string): void => {
      state.set(`${kind} ${of}`, { kind, of, is });
    };
    for (const mm of this.#machine.mms) this.#lookAt(mm, say);
    this.#lookAtTlbs(say);
    for (const frame of this.#frames) say("count", `frame ${frame}`, this.#countsOf(frame));
    for (const mm of this.#machine.mms) {
      const { rss, pinnedPages, lockedPages } = mm;
      const held = pinnedPages + lockedPages > 0 ? `, ${pinnedPages} pinned, ${lockedPages} locked` : "";
      say("count", `pages of ${mm.name}`, `${rss} resident${held}`);
    }
    for (const gate of this.#gates) say("gate", gate.name, gate.state);
    return state;
  }

  #lookAt(mm: Mm, say: (kind: StateKind, of: string, is: string) => void): void {
    for (const area of mm.areas.all()) {
      const flags = areaFlagNames(area.flags).join(" ");
      say(
        "area",
        `${mm.name} from ${hex(area.start)}`,
        `to ${hex(area.end)}, page ${area.pgoff} on, ${flags}`,
      );
      if (area.backing !== undefined) this.#gates.add(area.backing.gate);
    }
    for (const { vpn, level, entry } of visitEntries(mm.table)) {
      this.#entries++;
      const large = level > 0 ? `, ${mm.table.pagesAt(level)} pages` : "";
      say("entry", `${mm.name} at ${hex(vpn * mm.pageSize)}`, `${this.#entryInWords(entry)}${large}`);
    }
  }

  #lookAtTlbs(say: (kind: StateKind, of: string, is: string) => void): void {
    this.#machine.tlbs.forEach((tlb, cpu) => {
      if (tlb.space === 0) return;
      for (const { pageBase, entry } of tlb.cached()) {
        say("tlb", `CPU ${cpu} at ${hex(pageBase)}`, this.#entryInWords(entry));
      }
    });
  }

  #entryInWords(entry: number): string {
    const frame = ptePfn(entry);
    const { frames } = this.#machine.memory;
    const isCounted = (entry & PTE_SPECIAL) === 0 && frame < frames.count;
    if (isCounted) this.#frames.add(frames.headOf(frame as number as Page));
    const rights = `${(entry & PTE_READ) === 0 ? "-" : "r"}${(entry & PTE_WRITE) === 0 ? "-" : "w"}`;
    return `frame ${frame}, ${rights}${isCounted ? "" : ", special"}`;
  }

  #countsOf(frame: Page): string {
    const { refcount, mapcount, pincount } = this.#machine.memory.frames;
    return `${refcount[frame]} references, ${mapcount[frame]} mappings, ${pincount[frame]} pins`;
  }
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
