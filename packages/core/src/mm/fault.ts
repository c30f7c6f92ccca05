import { isCopyOnWrite, VM_PFNMAP } from "../contract/area-flags.ts";
import { ContractViolation } from "../contract/contract-violation.ts";
import type { Sleepable } from "../contract/execution.ts";
import { checkOutcome, type FaultOutcome } from "../contract/outcome.ts";
import type { Page, Pfn, UserAddress } from "../contract/units.ts";
import type { Fault } from "../contract/vm-ops.ts";
import { makePte, PTE_DIRTY, PTE_SPECIAL, PTE_WRITE } from "../mmu/pte.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { anonymousFault } from "./anonymous-fault.ts";
import { copyForWriter, presentFault } from "./copy-on-write.ts";
import { type FaultPatience, type FaultResult, waitAtGate } from "./fault-result.ts";
import { mayShowPfn } from "./insert.ts";
import type { Vma } from "./vma.ts";
import { rememberPage } from "./zap.ts";

/** A fault on its way through the hooks. */
class FaultInProgress implements Fault {
  readonly area: Vma;
  readonly address: UserAddress;
  readonly access: "read" | "write";
  readonly gate: Fault["gate"];
  readonly mayRetry: boolean;

  constructor(area: Vma, address: number, access: "read" | "write", patience: FaultPatience) {
    this.area = area;
    this.address = address as UserAddress;
    this.access = access;
    this.gate = area.backing === undefined ? "open" : area.backing.gate.state;
    this.mayRetry = patience !== "no-wait";
  }

  get pgoff(): number {
    return this.area.pgoffOf(this.address);
  }
}

/**
 * Resolves a fault in an area whose permissions allow the access (`handle_mm_fault`). The mmap lock is held for
 * reading; it still is afterwards, unless the result says otherwise.
 *
 * Where there is no entry, the hooks are asked in the order of the 2004 mail: `nopagePfn`, then `nopage`. A driver's area
 * without either is SIGBUS (up to 2.6 it became anonymous memory). Whatever a hook answers is written only under
 * the page-table lock and only while the backing's gate is as it was when the hook was asked: see `Gate`.
 */
export function* handleFault(
  area: Vma,
  address: number,
  access: "read" | "write",
  patience: FaultPatience,
): Sleepable<FaultResult> {
  const { mm } = area;
  const { machine, table } = mm;
  const { sched } = machine;
  const base = address - (address & (mm.pageSize - 1));
  const vpn = base * mm.perPage;
  if (sched.interleaving) yield sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn), Access.read);
  const entry = table.entryOf(vpn);
  if (entry !== 0) return yield* presentFault(area, base, entry, access);
  if (area.isAnonymous) return yield* anonymousFault(area, base, access);
  const { ops } = area;
  if (ops === undefined || (ops.nopage === undefined && ops.nopagePfn === undefined)) return "sigbus";

  const gate = area.backing?.gate;
  if (gate !== undefined && sched.interleaving) yield* gate.look();
  const sequence = gate === undefined ? 0 : gate.sequence;
  const fault = new FaultInProgress(area, base, access, patience);
  let outcome: FaultOutcome;
  try {
    const answer = ops.nopagePfn !== undefined ? ops.nopagePfn(fault) : ops.nopage?.(fault);
    outcome = (isGenerator(answer) ? yield* answer : answer) as FaultOutcome;
  } catch (cause) {
    return reject(area, `threw ${String(cause)}`, cause);
  }

  let page: Page | undefined;
  let flags: number;
  switch (outcome?.kind) {
    case "page": {
      page = outcome.page;
      const wrong = whyPageIsRefused(area, page);
      if (wrong !== undefined) return reject(area, wrong, undefined);
      if (access === "write" && isCopyOnWrite(area.flags))
        return yield* copyForWriter(area, base, page, sequence);
      flags = area.pteFlags();
      break;
    }
    case "pfn":
      if (!mayShowPfn(area, outcome.pfn)) return "sigbus";
      flags = area.pteFlags() | PTE_SPECIAL;
      break;
    case "installed":
      return "done";
    case "sigbus":
    case "sigsegv":
    case "hwpoison":
    case "oom":
      return outcome.kind;
    case "retry": {
      const wrong = checkOutcome(outcome, fault.mayRetry);
      if (wrong !== undefined) return reject(area, wrong, undefined);
      return yield* waitAtGate(area, base, outcome.until, patience);
    }
    default:
      return reject(area, checkOutcome(outcome, fault.mayRetry) ?? "answered nonsense", undefined);
  }
  if (access === "write") {
    flags |= PTE_DIRTY;
    if (area.isShared && ops.mkwrite !== undefined) {
      const refusal = yield* askToWrite(area, fault, page);
      if (refusal !== undefined) return refusal;
      flags |= PTE_WRITE;
    }
  }

  if (sched.interleaving) yield mm.pageTableLock.announceLock();
  mm.pageTableLock.take();
  if (gate !== undefined) {
    if (sched.interleaving) yield* gate.look();
    if (gate.sequence !== sequence || gate.state !== "open") {
      mm.pageTableLock.unlock();
      if (page !== undefined) yield* machine.putPage(page);
      return yield* waitAtGate(area, base, "gate-opens", patience);
    }
  }
  const slot = table.ensure(vpn, 0);
  if (slot < 0) {
    mm.pageTableLock.unlock();
    if (page !== undefined) yield* machine.putPage(page);
    return slot === -1 ? "oom" : "done";
  }
  if (sched.interleaving) yield sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn), Access.write);
  if (machine.tables.read(slot) !== 0) {
    mm.pageTableLock.unlock();
    if (page !== undefined) yield* machine.putPage(page);
    return "done";
  }
  const pfn = page ?? (outcome as { readonly pfn: Pfn }).pfn;
  if (page !== undefined) rememberPage(area, page);
  machine.writeEntry(mm, slot, vpn, makePte(pfn, flags));
  mm.pageTableLock.unlock();
  return "done";
}

/** Why the core cannot map this page here, as a sentence; undefined when it can. */
function whyPageIsRefused(area: Vma, page: Page): string | undefined {
  const { frames } = area.mm.machine.memory;
  if (!Number.isSafeInteger(page) || page < 0 || !frames.hasPage(page)) {
    return `answered page ${String(page)}, which has no struct page`;
  }
  if ((area.flags & VM_PFNMAP) !== 0) return `answered page ${page} for an area that is VM_PFNMAP`;
  if (!frames.isAllocated(page)) return `answered page ${page}, which is free`;
  return undefined;
}

/** A hook broke its contract: it is reported by name, and the thread gets SIGBUS. */
function reject(area: Vma, what: string, cause: unknown): FaultResult {
  const hook = area.ops?.nopagePfn !== undefined ? "nopagePfn" : "nopage";
  const violation = new ContractViolation(area.ops?.name ?? "a driver", hook, what, cause);
  area.mm.machine.violations.report("contract", violation.message);
  return "sigbus";
}

/** Asks the driver before a shared entry becomes writable; undefined when it may. */
function* askToWrite(area: Vma, fault: Fault, page: Page | undefined): Sleepable<FaultResult | undefined> {
  const answer = area.ops?.mkwrite?.(fault);
  const outcome = isGenerator(answer) ? yield* answer : answer;
  if (outcome === undefined || outcome.kind === "installed") return undefined;
  if (page !== undefined) yield* area.mm.machine.putPage(page);
  return outcome.kind === "oom" ? "oom" : "sigbus";
}
