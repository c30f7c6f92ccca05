import { invariant } from "../contract/contract-violation.ts";
import type { MaySleep, Sleepable } from "../contract/execution.ts";
import type { FaultOutcome } from "../contract/outcome.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { allocateAnonymousPage, anonymousFault } from "./anonymous-fault.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import { presentFault } from "./copy-on-write.ts";
import { entryPoint, lookPoint } from "./entry-points.ts";
import { type FaultPatience, type FaultResult, waitAtGate } from "./fault-result.ts";
import { askToWrite } from "./mkwrite.ts";
import { NO_TABLE, NopageCall, type Verdict } from "./nopage-call.ts";
import { noteLookAt } from "./page-points.ts";
import type { Vma } from "./vma.ts";

/**
 * Resolves a fault in an area whose permissions allow the access (`handle_mm_fault`). The mmap lock is held for
 * reading; it still is afterwards, unless the result says otherwise.
 *
 * Where there is no entry, the hooks are asked in the order of the 2004 mail: `nopagePfn`, then `nopage`. A driver's area
 * without either is SIGBUS (up to 2.6 it became anonymous memory). Whatever a hook answers is written only under
 * the page-table lock and only while the backing's gate is as it was when the hook was asked: see `Gate`.
 *
 * When nobody interleaves and the hook is a plain function, the answer comes at once and no generator is made.
 */
export function handleFault(
  area: Vma,
  address: number,
  access: "read" | "write",
  patience: FaultPatience,
): MaySleep<FaultResult> {
  const { mm } = area;
  const base = address - (address & (mm.pageSize - 1));
  if (mm.machine.sched.interleaving) return interleavedFault(area, base, access, patience);
  const { table } = mm;
  const slot = table.find(base * mm.perPage);
  if ((slot >= 0 && table.pool.read(slot) !== 0) || !hasNopage(area)) return faultByCore(area, base, access);
  const call = mm.idleCall ?? new NopageCall(area);
  mm.idleCall = undefined;
  call.begin(area, base, access, patience);
  let answer: MaySleep<FaultOutcome>;
  try {
    answer = call.ask();
  } catch (cause) {
    return call.rejectThrown(cause);
  }
  return isGenerator(answer) ? resolve(call, answer) : settle(call, answer, slot);
}

/** Does at once what an answer asks for, unless something has to be waited for. */
function settle(call: NopageCall, answer: FaultOutcome, slot: number): MaySleep<FaultResult> {
  const verdict = call.judge(answer);
  if (verdict !== "map") return carryOut(call, verdict);
  const { mm } = call.area;
  mm.pageTableLock.take();
  const outcome = call.isStale() ? "stale" : call.write(slot);
  mm.pageTableLock.unlock();
  if (outcome !== "mapped") return giveUp(call, outcome);
  mm.idleCall = call;
  return "done";
}

/** A fault that no hook is asked about: there is an entry, or the memory is anonymous, or nobody can be asked. */
function faultByCore(area: Vma, base: number, access: "read" | "write"): MaySleep<FaultResult> {
  const entry = area.mm.table.entryOf(base * area.mm.perPage);
  if (entry !== 0) return presentFault(area, base, entry, access);
  return area.isAnonymous ? anonymousFault(area, base, access) : emptyFault(area, base, access);
}

/** The same with every shared access announced before it happens. */
function* interleavedFault(
  area: Vma,
  base: number,
  access: "read" | "write",
  patience: FaultPatience,
): Sleepable<FaultResult> {
  const { mm } = area;
  const vpn = base * mm.perPage;
  yield lookPoint(mm, vpn);
  const entry = mm.table.entryOf(vpn);
  if (entry !== 0) return yield* presentFault(area, base, entry, access);
  if (area.isAnonymous) return yield* anonymousFault(area, base, access);
  if (!hasNopage(area)) return yield* surelyEmptyFault(area, base, access);
  if (area.backing !== undefined) yield* area.backing.gate.look();
  const call = new NopageCall(area).begin(area, base, access, patience);
  return yield* resolve(call, undefined);
}

function hasNopage(area: Vma): boolean {
  return area.ops !== undefined && (area.ops.nopage !== undefined || area.ops.nopagePfn !== undefined);
}

/** Nothing is there and nobody can be asked: SIGBUS; up to 2.6.11 anonymous memory, in areas of drivers too (RS-02). */
function emptyFault(area: Vma, base: number, access: "read" | "write"): MaySleep<FaultResult> {
  return area.mm.machine.reserved.fillsHoles ? anonymousFault(area, base, access) : "sigbus";
}

/**
 * The same while others go on: somebody who changes an entry clears it for a moment, under the page-table lock, so that the
 * fault looks again there before it says that nothing is there (`do_fault`).
 */
function* surelyEmptyFault(area: Vma, base: number, access: "read" | "write"): Sleepable<FaultResult> {
  const { mm } = area;
  if (mm.machine.reserved.fillsHoles) return yield* anonymousFault(area, base, access);
  const vpn = base * mm.perPage;
  yield* mm.pageTableLock.lock();
  yield entryPoint(mm, vpn, Access.read);
  const isEmpty = mm.table.entryOf(vpn) === 0;
  mm.pageTableLock.unlock();
  return isEmpty ? "sigbus" : "done";
}

/** Hears the hook out and does what its answer asks for. */
function* resolve(call: NopageCall, asked: MaySleep<FaultOutcome> | undefined): Sleepable<FaultResult> {
  let outcome: FaultOutcome;
  try {
    const answer = asked ?? call.ask();
    outcome = isGenerator(answer) ? yield* answer : answer;
  } catch (cause) {
    return call.rejectThrown(cause);
  }
  if (outcome?.kind === "page") noteLookAt(call.area.mm.machine, outcome.page);
  return yield* carryOut(call, call.judge(outcome));
}

function* carryOut(call: NopageCall, verdict: Verdict): Sleepable<FaultResult> {
  const { area, address } = call;
  switch (verdict) {
    case "map":
      return yield* map(call);
    case "copy":
      return yield* copyForWriter(call);
    case "ask-to-write":
      return yield* mapIfWritable(call);
    case "wait-at-gate":
      return yield* waitAtGate(area, address, "gate-opens", call.patience);
    case "try-again":
      return yield* waitAtGate(area, address, "now", call.patience);
    default:
      if (call.page !== undefined) yield* area.mm.machine.putPage(call.page);
      return verdict;
  }
}

/**
 * First store to a private mapping of a page that nopage answered with (`do_cow_fault`): the page is copied, stays
 * unchanged, and its reference is dropped at once (FR-14).
 */
function* copyForWriter(call: NopageCall): Sleepable<FaultResult> {
  const { area, page: source } = call;
  const { machine } = area.mm;
  invariant(source !== undefined, "only a page is copied for who stores to it");
  const copy = allocateAnonymousPage(area);
  if (copy !== undefined) {
    if (machine.sched.interleaving) yield machine.sched.at(ObjectKind.frameContents, source, Access.read);
    flushCachedFrame(area.mm, source);
    machine.memory.frames.copy(copy, source);
    machine.stats.pagesCopied++;
    call.mapInstead(copy);
  }
  yield* machine.putPage(source);
  return copy === undefined ? "oom" : yield* map(call);
}

/** Writes the entry under the page-table lock, after a last look at the gate there. */
function* map(call: NopageCall): Sleepable<FaultResult> {
  const { area, address } = call;
  const { mm } = area;
  const { sched } = mm.machine;
  yield* mm.pageTableLock.lock();
  if (area.backing !== undefined) yield* area.backing.gate.look();
  if (call.isStale()) {
    mm.pageTableLock.unlock();
    return yield* giveUp(call, "stale");
  }
  if (sched.interleaving) {
    yield sched.at(ObjectKind.pageTableEntry, mm.entryId(address * mm.perPage), Access.write);
  }
  const outcome = call.write(NO_TABLE);
  mm.pageTableLock.unlock();
  return outcome === "mapped" ? "done" : yield* giveUp(call, outcome);
}

/**
 * Nothing was written: the hook's page goes back, and the thread waits or tries again. A gate that was closed after the
 * hook had been asked is the hook's to judge: it is asked again. One that was closed before is waited for.
 */
function* giveUp(call: NopageCall, why: "stale" | "taken" | "oom"): Sleepable<FaultResult> {
  const { area, address, page } = call;
  if (page !== undefined) yield* area.mm.machine.putPage(page);
  if (why === "stale") {
    return yield* waitAtGate(area, address, call.gate === "open" ? "now" : "gate-opens", call.patience);
  }
  return why === "oom" ? "oom" : "done";
}

/** Asks the driver before a page that was just found becomes writable; if it may not, the page goes back. */
function* mapIfWritable(call: NopageCall): Sleepable<FaultResult> {
  const refusal = yield* askToWrite(call.area, call);
  if (refusal === undefined) return yield* map(call);
  if (call.page !== undefined) yield* call.area.mm.machine.putPage(call.page);
  return refusal;
}
