import { isCopyOnWrite, VM_PFNMAP } from "../contract/area-flags.ts";
import { ContractViolation } from "../contract/contract-violation.ts";
import type { MaySleep } from "../contract/execution.ts";
import type { Gate } from "../contract/gate.ts";
import { checkOutcome, type FaultOutcome } from "../contract/outcome.ts";
import type { Page, Pfn, UserAddress } from "../contract/units.ts";
import type { Fault } from "../contract/vm-ops.ts";
import { PG_hwpoison } from "../memory/page-flags.ts";
import { makePte, PTE_DIRTY, PTE_SPECIAL, PTE_WRITE } from "../mmu/pte.ts";
import { writableFlags } from "./anonymous-fault.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import type { FaultPatience, FaultResult } from "./fault-result.ts";
import { mayShowPfn } from "./insert.ts";
import type { Vma } from "./vma.ts";
import { rememberPage } from "./zap.ts";

/** What is to be done about a hook's answer, or how the fault ended with it. */
export type Verdict = FaultResult | "map" | "copy" | "ask-to-write" | "wait-at-gate" | "try-again";

/**
 * One question to a driver's `nopage` hook and what becomes of the answer: the steps of a fault that neither wait nor
 * interleave, so that the plain path and the interleaved one are made of the same pieces.
 */
export class NopageCall implements Fault {
  readonly area: Vma;
  readonly address: UserAddress;
  readonly access: "read" | "write";
  readonly gate: Fault["gate"];
  readonly patience: FaultPatience;
  /** The page that the hook handed over, with the reference that came with it. */
  page: Page | undefined = undefined;
  // Private to TypeScript only: an object with # fields takes twice as long to make, and one is made for each fault.
  private chosenPfn = 0;
  private chosenFlags = 0;
  private readonly askedGate: Gate | undefined;
  private readonly askedSequence: number;

  constructor(area: Vma, base: number, access: "read" | "write", patience: FaultPatience) {
    this.area = area;
    this.address = base as UserAddress;
    this.access = access;
    this.patience = patience;
    this.askedGate = area.backing?.gate;
    this.gate = this.askedGate === undefined ? "open" : this.askedGate.state;
    this.askedSequence = this.askedGate === undefined ? 0 : this.askedGate.sequence;
  }

  get pgoff(): number {
    return this.area.pgoffOf(this.address);
  }

  /** A fault that may not wait may be answered with retry all the same (`FAULT_FLAG_RETRY_NOWAIT`). */
  get mayRetry(): boolean {
    return true;
  }

  /** Asks the hook, in the order of the 2004 mail: for a bare pfn first. What it throws is for the caller. */
  ask(): MaySleep<FaultOutcome> {
    const { ops } = this.area;
    if (ops?.nopagePfn !== undefined) return ops.nopagePfn(this);
    return ops?.nopage?.(this) as MaySleep<FaultOutcome>;
  }

  /** Decides what an answer means here, and checks that it is one. */
  judge(outcome: FaultOutcome): Verdict {
    const { area } = this;
    switch (outcome?.kind) {
      case "page": {
        const wrong = this.#whyRefused(outcome.page);
        if (wrong !== undefined) return this.#refuse(outcome.page, wrong);
        const { frames } = area.mm.machine.memory;
        if (frames.hasFlags(outcome.page, PG_hwpoison)) {
          frames.put(outcome.page);
          return "hwpoison";
        }
        this.page = outcome.page;
        this.chosenPfn = outcome.page;
        if (this.access === "write" && isCopyOnWrite(area.flags)) return "copy";
        this.chosenFlags = area.pteFlags();
        break;
      }
      case "pfn":
        if (!Number.isSafeInteger(outcome.pfn) || outcome.pfn < 0) {
          return this.reject(checkOutcome(outcome, true) ?? "answered no frame number", undefined);
        }
        if (!mayShowPfn(area, outcome.pfn)) return "sigbus";
        this.chosenPfn = outcome.pfn;
        this.chosenFlags = area.pteFlags() | PTE_SPECIAL;
        break;
      case "installed":
        return "done";
      case "sigbus":
      case "sigsegv":
      case "hwpoison":
      case "oom":
        return outcome.kind;
      case "retry":
        if (!this.mayRetry) return this.reject("answered retry to a fault that does not allow it", undefined);
        return outcome.until === "now" ? "try-again" : "wait-at-gate";
      default:
        return this.reject(checkOutcome(outcome, this.mayRetry) ?? "answered nonsense", undefined);
    }
    if (this.access === "read") return "map";
    this.chosenFlags |= PTE_DIRTY;
    if (!area.isShared || area.ops?.mkwrite === undefined) return "map";
    this.chosenFlags |= PTE_WRITE;
    return "ask-to-write";
  }

  /** Maps a private copy, written to already, in place of the hook's page. */
  mapInstead(copy: Page): void {
    this.page = copy;
    this.chosenPfn = copy;
    this.chosenFlags = writableFlags(this.area);
  }

  /** Whether the gate is no longer as it was when the hook was asked, or not open; under the page-table lock. */
  isStale(): boolean {
    const gate = this.askedGate;
    return gate !== undefined && (gate.sequence !== this.askedSequence || this.gate !== "open");
  }

  /**
   * Writes the entry, under the page-table lock: `mapped`; `taken` when somebody was faster; `oom` without memory for
   * a table. Unless mapped, the hook's page is still the caller's to give back.
   */
  write(): "mapped" | "taken" | "oom" {
    const { area, address, page } = this;
    const { mm } = area;
    const vpn = address * mm.perPage;
    const slot = mm.table.ensure(vpn, 0);
    if (slot < 0) return slot === -1 ? "oom" : "taken";
    if (mm.table.pool.read(slot) !== 0) return "taken";
    if (page !== undefined) rememberPage(area, page);
    flushCachedFrame(mm, this.chosenPfn as Pfn);
    mm.machine.writeEntry(mm, slot, vpn, makePte(this.chosenPfn as Pfn, this.chosenFlags));
    return "mapped";
  }

  /** The hook broke its contract: it is reported by name, and the thread gets SIGBUS. */
  reject(what: string, cause: unknown): FaultResult {
    const { ops, mm } = this.area;
    const hook = ops?.nopagePfn !== undefined ? "nopagePfn" : "nopage";
    const violation = new ContractViolation(ops?.name ?? "a driver", hook, what, cause);
    mm.machine.violations.report("contract", violation.message);
    return "sigbus";
  }

  /** Refuses a page; the reference that came with it goes back if there can be one. */
  #refuse(page: Page, what: string): FaultResult {
    const { frames } = this.area.mm.machine.memory;
    if (frames.hasPage(page) && frames.isAllocated(page)) frames.put(page);
    return this.reject(what, undefined);
  }

  /** Why the core cannot map this page here, as a sentence; undefined when it can. */
  #whyRefused(page: Page): string | undefined {
    const { frames } = this.area.mm.machine.memory;
    if (!Number.isSafeInteger(page) || page < 0 || !frames.hasPage(page)) {
      return `answered page ${String(page)}, which has no struct page`;
    }
    if (this.area.ops?.nopagePfn !== undefined) return "answered a page, which it has none of to give";
    if ((this.area.flags & VM_PFNMAP) !== 0) return `answered page ${page} for an area that is VM_PFNMAP`;
    if (!frames.isAllocated(page)) return `answered page ${page}, which is free`;
    return undefined;
  }
}
