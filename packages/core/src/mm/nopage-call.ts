import { isCopyOnWrite, VM_PFNMAP } from "../contract/area-flags.ts";
import type { MaySleep } from "../contract/execution.ts";
import type { Gate } from "../contract/gate.ts";
import { checkOutcome, type FaultOutcome } from "../contract/outcome.ts";
import type { Page, Pfn, UserAddress } from "../contract/units.ts";
import type { Fault } from "../contract/vm-ops.ts";
import { PG_hwpoison } from "../memory/page-flags.ts";
import { NO_TABLE_MEMORY } from "../mmu/page-table.ts";
import { makePte, PTE_DIRTY, PTE_SPECIAL, PTE_WRITE } from "../mmu/pte.ts";
import { duringCall } from "../sanitize/calls.ts";
import { writableFlags } from "./anonymous-fault.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import { type HookName, reportBreach } from "./call-hook.ts";
import type { FaultPatience, FaultResult } from "./fault-result.ts";
import { fitsArea, mayShowPfn } from "./insert.ts";
import type { Vma } from "./vma.ts";
import { rememberPage } from "./zap.ts";

/** No table for the entry was found, or it was not looked for. */
export const NO_TABLE = -1;

/** What is to be done about a hook's answer, or how the fault ended with it. */
export type Verdict = FaultResult | "map" | "copy" | "ask-to-write" | "wait-at-gate" | "try-again";

/**
 * One question to a driver's `nopage` hook and what becomes of the answer: the steps of a fault that neither wait nor
 * interleave, so that the plain path and the interleaved one are made of the same pieces.
 *
 * A fault that ends at once leaves its record for the next (`Mm.idleCall`): what a fault allocates, the collector takes
 * away again, and each allocation reaches memory that no cache holds.
 */
export class NopageCall implements Fault {
  area: Vma;
  address = 0 as UserAddress;
  access: "read" | "write" = "read";
  gate: Fault["gate"] = "open";
  patience: FaultPatience = "no-wait";
  /** The page that the hook handed over, with the reference that came with it. */
  page: Page | undefined = undefined;
  // Private to TypeScript only, here and wherever else a fault comes by: # takes twice the bytecode, and the JavaScript
  // engine decides by length of bytecode what it compiles into its caller.
  private chosenPfn = 0;
  private chosenFlags = 0;
  private askedGate: Gate | undefined = undefined;
  private askedSequence = 0;

  constructor(area: Vma) {
    this.area = area;
  }

  /** Makes it the question about a fault. */
  begin(area: Vma, base: number, access: "read" | "write", patience: FaultPatience): this {
    this.area = area;
    this.address = base as UserAddress;
    this.access = access;
    this.patience = patience;
    this.page = undefined;
    const gate = area.backing?.gate;
    this.askedGate = gate;
    this.gate = gate === undefined ? "open" : gate.state;
    this.askedSequence = gate === undefined ? 0 : gate.sequence;
    return this;
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
    const { ops, mm } = this.area;
    if (mm.machine.isTraced) return this.askTraced();
    if (ops?.nopagePfn !== undefined) return ops.nopagePfn(this);
    return ops?.nopage?.(this) as MaySleep<FaultOutcome>;
  }

  /** The same with the hook among the callers of what it does. */
  private askTraced(): MaySleep<FaultOutcome> {
    const { ops, mm } = this.area;
    const { plugin, hook } = this.hookName;
    return duringCall(
      mm.machine.sched,
      `${plugin}.${hook}`,
      () => ops?.[hook]?.(this) as MaySleep<FaultOutcome>,
    );
  }

  /** The hook that is asked. */
  private get hookName(): HookName & { readonly hook: "nopage" | "nopagePfn" } {
    const { ops } = this.area;
    return { plugin: ops?.name ?? "a driver", hook: ops?.nopagePfn === undefined ? "nopage" : "nopagePfn" };
  }

  /**
   * Decides what an answer means here, and checks that it is one. When that ends the fault, a page that came with the
   * answer is still the caller's to give back.
   */
  judge(outcome: FaultOutcome): Verdict {
    if (outcome?.kind === "pfn") return this.judgePfn(outcome);
    return outcome?.kind === "page" ? this.judgePage(outcome.page) : this.judgeEnd(outcome);
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
   *
   * `found` is the entry's slot if somebody looked since anybody else ran, or `NO_TABLE`.
   */
  write(found: number): "mapped" | "taken" | "oom" {
    const { area, page } = this;
    const { mm } = area;
    const vpn = this.address * mm.perPage;
    const slot = found >= 0 ? found : mm.table.ensure(vpn, 0);
    if (slot === NO_TABLE_MEMORY) return "oom";
    if (slot < 0 || mm.table.pool.read(slot) !== 0) return "taken";
    if (page !== undefined) rememberPage(area, page);
    flushCachedFrame(mm, this.chosenPfn as Pfn);
    mm.machine.writeEntry(mm, slot, vpn, makePte(this.chosenPfn as Pfn, this.chosenFlags));
    return "mapped";
  }

  /** The hook threw instead of answering. */
  rejectThrown(cause: unknown): FaultResult {
    return this.reject(`threw ${String(cause)}`, cause);
  }

  /** The hook broke its contract: it is reported by name, and the thread gets SIGBUS. */
  reject(what: string, cause: unknown): FaultResult {
    reportBreach(this.area.mm.machine, this.hookName, what, cause);
    return "sigbus";
  }

  private judgePfn(outcome: { readonly kind: "pfn"; readonly pfn: Pfn }): Verdict {
    if (!fitsArea(this.area, outcome.pfn)) return this.refusePfn(outcome);
    this.chosenPfn = outcome.pfn;
    this.chosenFlags = this.area.pteFlags() | PTE_SPECIAL;
    return this.access === "read" ? "map" : this.judgeStore();
  }

  /** What is no frame number breaks the contract of the hook; a frame that the area may not show breaks its rules. */
  private refusePfn(outcome: { readonly kind: "pfn"; readonly pfn: Pfn }): FaultResult {
    const wrong = checkOutcome(outcome, true);
    if (wrong !== undefined) return this.reject(wrong, undefined);
    mayShowPfn(this.area, outcome.pfn);
    return "sigbus";
  }

  private judgePage(page: Page): Verdict {
    const { area } = this;
    const wrong = this.whyRefused(page);
    if (wrong !== undefined) return this.refuse(page, wrong);
    this.page = page;
    if (area.mm.machine.memory.frames.hasFlags(page, PG_hwpoison)) return "hwpoison";
    this.chosenPfn = page;
    if (this.access === "write" && isCopyOnWrite(area.flags)) return "copy";
    this.chosenFlags = area.pteFlags();
    return this.access === "read" ? "map" : this.judgeStore();
  }

  /** A store finds its entry dirty; a driver that wants to be asked first is asked before it is writable. */
  private judgeStore(): Verdict {
    this.chosenFlags |= PTE_DIRTY;
    if (!this.area.isShared || this.area.ops?.mkwrite === undefined) return "map";
    this.chosenFlags |= PTE_WRITE;
    return "ask-to-write";
  }

  /** An answer with nothing to map. */
  private judgeEnd(outcome: Exclude<FaultOutcome, { readonly kind: "page" | "pfn" }>): Verdict {
    if (outcome?.kind === "installed") return "done";
    const wrong = checkOutcome(outcome, this.mayRetry);
    if (wrong !== undefined) return this.reject(wrong, undefined);
    if (outcome.kind !== "retry") return outcome.kind;
    return outcome.until === "now" ? "try-again" : "wait-at-gate";
  }

  /** Refuses a page; the reference that came with it is the caller's to give back, if there can be one. */
  private refuse(page: Page, what: string): FaultResult {
    const { frames } = this.area.mm.machine.memory;
    if (frames.hasPage(page) && frames.isAllocated(page)) this.page = page;
    return this.reject(what, undefined);
  }

  /** Why the core cannot map this page here, as a sentence; undefined when it can. */
  private whyRefused(page: Page): string | undefined {
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
