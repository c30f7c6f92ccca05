import type { MaySleep, Sleepable } from "../contract/execution.ts";
import type { Trap } from "../contract/signals.ts";
import type { Page, Pfn, UserAddress } from "../contract/units.ts";
import { walkPoint } from "../mm/entry-points.ts";
import type { Mm } from "../mm/mm.ts";
import { type AccessMode, afterFruitlessFault, userFault } from "../mm/user-fault.ts";
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PFN_UNIT,
  PTE_PRESENT,
  PTE_READ,
  PTE_WRITE,
  ptePfn,
} from "../mmu/pte.ts";
import type { Tlb } from "../mmu/tlb.ts";
import type { WatchedEntries } from "../sanitize/watched-entries.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Announcer } from "../sched/task.ts";
import type { UserThread } from "./user-thread.ts";

/** No entry lets the access through. */
const NONE = -1;
const DIRTY_AND_WRITABLE = PTE_WRITE | PTE_DIRTY;

/** The flag of an entry without which the hardware refuses the access. */
function neededFlag(access: "read" | "write"): number {
  return access === "read" ? PTE_READ : PTE_WRITE;
}

/** The flags of an entry that the hardware leaves set when it walks there for the access. */
function bitsSetBy(access: "read" | "write"): number {
  return access === "read" ? PTE_ACCESSED : PTE_ACCESSED | PTE_DIRTY;
}

/**
 * Finds the translation for an access as the hardware does: TLB, page-table walk, fault, and again from the start.
 *
 * The answer is the slot of the CPU's TLB that holds the translation. The data access that follows belongs to the same
 * step: until the caller yields, no shoot-down can come between.
 */
export class Translator {
  readonly tlb: Tlb;
  // Private to TypeScript only: see `NopageCall`.
  private readonly thread: UserThread;
  private readonly mm: Mm;
  private readonly mode: AccessMode;
  private readonly inPageMask: number;
  private readonly userEnd: number;
  private readonly ramPages: number;
  private readonly checksFrames: boolean;
  private readonly entries: WatchedEntries | undefined;

  constructor(thread: UserThread, mode: AccessMode) {
    const { machine, mm } = thread.process;
    this.tlb = machine.tlbs[thread.cpu];
    this.thread = thread;
    this.mm = mm;
    this.mode = mode;
    this.inPageMask = mm.pageSize - 1;
    this.userEnd = machine.geometry.userEnd;
    this.ramPages = machine.memory.frames.total;
    this.checksFrames = machine.settings.checkAccesses === "on";
    this.entries = machine.entries;
  }

  /** The TLB slot that lets the access through, or the trap; at once where no hook has to be waited for. */
  translate(address: UserAddress, access: "read" | "write"): MaySleep<number | Trap> {
    if (this.mm.machine.sched.interleaving) return this.inSteps(address, access);
    const base = address - (address & this.inPageMask);
    const ready = this.lookUp(base, access);
    if (ready !== NONE) return this.checked(ready, address, access);
    const trap = userFault(this.thread, address, access, this.mode);
    if (trap !== undefined) return isGenerator(trap) ? this.after(trap, address, access) : trap;
    const slot = this.walk(base, access);
    return slot !== NONE ? this.checked(slot, address, access) : this.inSteps(address, access);
  }

  /** The same as a generator. */
  *translated(address: UserAddress, access: "read" | "write"): Sleepable<number | Trap> {
    const answer = this.translate(address, access);
    return isGenerator(answer) ? yield* answer : answer;
  }

  private *after(
    fault: Sleepable<Trap | undefined>,
    address: UserAddress,
    access: "read" | "write",
  ): Sleepable<number | Trap> {
    const trap = yield* fault;
    return trap ?? (yield* this.inSteps(address, access));
  }

  /** TLB, then walk, without a step in between. */
  private lookUp(base: number, access: "read" | "write"): number {
    const slot = this.cached(base, access);
    return slot !== NONE ? slot : this.walk(base, access);
  }

  private *inSteps(address: UserAddress, access: "read" | "write"): Sleepable<number | Trap> {
    const { sched } = this.mm.machine;
    const base = address - (address & this.inPageMask);
    let faults = 0;
    for (;;) {
      if (sched.interleaving) yield sched.asFound(new AccessItself(this, base, access));
      const slot = this.cached(base, access);
      if (slot !== NONE) return this.checked(slot, address, access);
      if (sched.interleaving) yield sched.asFound(new Walk(this, base, access));
      if (this.walk(base, access) !== NONE) continue;
      if (faults > 0) {
        const killed = yield* afterFruitlessFault(this.thread, address, this.mode, faults);
        if (killed !== undefined) return killed;
      }
      const fault = userFault(this.thread, address, access, this.mode);
      const trap = isGenerator(fault) ? yield* fault : fault;
      if (trap !== undefined) return trap;
      faults++;
    }
  }

  /** Announces the access itself: the TLB, and the frame or the register behind what is cached there at present. */
  announceAccess(base: number, access: "read" | "write"): void {
    const { sched, memory } = this.mm.machine;
    const lookUp = sched.at(ObjectKind.tlb, this.thread.cpu, Access.read);
    const slot = this.cached(base, access);
    if (slot === NONE) return;
    const pfn = ptePfn(this.tlb.entry[slot]);
    if (pfn >= memory.frames.total) {
      sched.also(lookUp, ObjectKind.register, memory.io.find(pfn)?.registerFile ?? 0, Access.write);
      return;
    }
    sched.also(lookUp, ObjectKind.frameContents, pfn, access === "read" ? Access.read : Access.write);
  }

  /** Announces the walk: the entries that it reads, as written where it sets a bit, and the TLB if it will be filled. */
  announceWalk(base: number, access: "read" | "write"): void {
    const mm = this.mm;
    const { sched } = mm.machine;
    const { cpu } = this.thread;
    if (!(base >= 0 && base < this.userEnd)) {
      sched.at(ObjectKind.tlb, cpu, Access.read);
      return;
    }
    const vpn = base * mm.perPage;
    const entry = mm.table.entryOf(vpn);
    if ((entry & neededFlag(access)) === 0) {
      walkPoint(mm, vpn, 0);
      return;
    }
    sched.also(walkPoint(mm, vpn, bitsSetBy(access)), ObjectKind.tlb, cpu, Access.write);
  }

  /** The slot of a cached entry that lets the access through. A store needs one that is dirty already. */
  private cached(base: number, access: "read" | "write"): number {
    const { tlb } = this;
    const slot = tlb.slotOf(base);
    if (tlb.tag[slot] !== base || tlb.space !== this.mm.id) return NONE;
    const needed = access === "read" ? PTE_READ : DIRTY_AND_WRITABLE;
    return (tlb.entry[slot] & needed) === needed ? slot : NONE;
  }

  /** The hardware's walk: caches the entry of this very page and sets its accessed and dirty bits in the table. */
  private walk(base: number, access: "read" | "write"): number {
    const mm = this.mm;
    const { table } = mm;
    // The table's indices wrap around: an address outside the user half would find another page's entry.
    if (!(base >= 0 && base < this.userEnd)) return NONE;
    const vpn = base * mm.perPage;
    const place = table.find(vpn);
    if (place < 0) return NONE;
    let entry = table.pool.read(place);
    if ((entry & neededFlag(access)) === 0) return NONE;
    const missing = bitsSetBy(access) & ~entry;
    if (missing !== 0) {
      table.pool.setFlags(place, missing);
      entry += missing;
    }
    if (table.level > 0) entry += (vpn % table.pagesAt(table.level)) * PTE_PFN_UNIT;
    if (this.tlb.space !== mm.id) this.switchSpace();
    const slot = this.tlb.insert(base, entry, this.ramPages);
    if (this.entries !== undefined) this.entries.filled(this.thread.cpu, slot, place, ptePfn(entry));
    return slot;
  }

  /** The CPU begins to translate for this address space. */
  private switchSpace(): void {
    this.tlb.switchTo(this.mm.id);
    this.mm.cpus |= 1 << this.thread.cpu;
  }

  /** The slot, after a look at the frame behind it on machines that check each access. */
  private checked(slot: number, address: UserAddress, access: "read" | "write"): number {
    if (this.checksFrames) this.checkFrame(slot, address, access);
    return slot;
  }

  /**
   * Reports an access to a frame that nobody holds any more, or that was freed since and is somebody else's now: through an
   * entry that outlived the frame, or through a translation that outlived the entry.
   */
  private checkFrame(slot: number, address: UserAddress, access: "read" | "write"): void {
    const { frames } = this.mm.machine.memory;
    const pfn = ptePfn(this.tlb.entry[slot]);
    if (frames.hasPage(pfn) && !frames.isAllocated(pfn as number as Page)) {
      this.reportFrame(pfn, address, access, "");
    } else if (this.entries?.isCurrent(this.thread.cpu, slot, pfn) === false && this.entries.isNews(pfn)) {
      this.reportFrame(pfn, address, access, ", which was freed and handed out anew");
    }
  }

  private reportFrame(pfn: Pfn, address: UserAddress, access: "read" | "write", since: string): void {
    const { mm, thread } = this;
    const { machine } = mm;
    const entry = mm.table.entryOf(Math.floor(address * mm.perPage));
    const isMapped = (entry & PTE_PRESENT) !== 0 && ptePfn(entry) === pfn;
    const verb = access === "read" ? "loads from" : "stores to";
    const way = isMapped ? "a translation" : "a stale translation";
    machine.violations.report(
      isMapped ? "use-after-free" : "stale-tlb",
      `${thread.name} ${verb} 0x${address.toString(16)} through ${way} to ${machine.memory.frames.describe(pfn)}${since}`,
      { frame: pfn, earlier: machine.history?.freed(pfn) },
    );
  }
}

/** A step of an access, which announces itself. Classes, as a closure for each costs more than the step. */
abstract class AccessStep implements Announcer {
  protected readonly translator: Translator;
  protected readonly base: number;
  protected readonly access: "read" | "write";

  constructor(translator: Translator, base: number, access: "read" | "write") {
    this.translator = translator;
    this.base = base;
    this.access = access;
  }

  abstract announce(): void;
}

class AccessItself extends AccessStep {
  override announce(): void {
    this.translator.announceAccess(this.base, this.access);
  }
}

class Walk extends AccessStep {
  override announce(): void {
    this.translator.announceWalk(this.base, this.access);
  }
}
