import { VM_ACCESS_FLAGS, VM_WRITE } from "../contract/area-flags.ts";
import type { MaySleep, Sleepable } from "../contract/execution.ts";
import { signalNumbers, type Trap, type TrapCode } from "../contract/signals.ts";
import type { UserAddress } from "../contract/units.ts";
import { duringCall } from "../sanitize/calls.ts";
import { isGenerator } from "../sched/is-generator.ts";
import type { UserThread } from "../user/user-thread.ts";
import { handleFault } from "./fault.ts";
import { countFault, countMinorFault } from "./fault-count.ts";
import type { FaultResult } from "./fault-result.ts";
import { standBack } from "./stand-back.ts";
import type { Vma } from "./vma.ts";

/** Whether the thread itself touched the memory, or the kernel on its behalf (`copy_to_user`). */
export type AccessMode = "user" | "kernel";

/** How long a thread stands back after a fault found no memory, in virtual nanoseconds, before it tries again. */
const OOM_PAUSE_NS = 1_000_000;

/**
 * A page fault taken in user mode (`do_user_addr_fault`): finds the area, checks its permissions, resolves the fault,
 * and turns what cannot be resolved into a signal. After a wait the area is looked up again from the start (QU-08).
 *
 * A signal that came while the fault waited is delivered, and the access starts anew, with a fault of its own (FR-08). In
 * kernel mode the caller reports the trap as -EFAULT, and no signal is delivered on the way (FR-09); lack of memory is
 * an error there instead of another try (FR-03).
 *
 * @returns undefined when the access is to be tried again, otherwise the trap
 */
export function userFault(
  thread: UserThread,
  address: UserAddress,
  access: "read" | "write",
  mode: AccessMode,
): MaySleep<Trap | undefined> {
  const { machine } = thread.mm;
  if (!machine.isTraced) return resolveFault(thread, address, access, mode);
  machine.log.record("fault", thread.mm.id, address, access === "write" ? 1 : 0);
  return duringCall(machine.sched, "page fault", () => resolveFault(thread, address, access, mode));
}

/** Resolves it at once where nobody has to be waited for. */
function resolveFault(
  thread: UserThread,
  address: UserAddress,
  access: "read" | "write",
  mode: AccessMode,
): MaySleep<Trap | undefined> {
  const { mm } = thread;
  const { machine } = mm;
  if (machine.sched.interleaving || !mm.lock.takeReadNow()) {
    return resolve(thread, address, access, mode, undefined);
  }
  const area = findAllowing(thread, address, access);
  if (typeof area === "string") return refuse(thread, mode, area, address);
  const result = handleFault(area, address, access, patienceOf(mode));
  if (result !== "done") return resolve(thread, address, access, mode, result);
  mm.lock.unlockRead();
  countMinorFault(machine, thread);
  return undefined;
}

/** Goes on until the fault is settled; begins with `first`, under the mmap lock, or with taking the lock. */
function* resolve(
  thread: UserThread,
  address: UserAddress,
  access: "read" | "write",
  mode: AccessMode,
  first: MaySleep<FaultResult> | undefined,
): Sleepable<Trap | undefined> {
  const { mm } = thread;
  let kind: "minor" | "major" = "minor";
  let tries = 0;
  let answer = first;
  for (;;) {
    if (answer === undefined) {
      yield* mm.lock.read();
      const area = findAllowing(thread, address, access);
      if (typeof area === "string") return refuse(thread, mode, area, address);
      answer = handleFault(area, address, access, patienceOf(mode));
    }
    const result = isGenerator(answer) ? yield* answer : answer;
    answer = undefined;
    if (result === "retry" || result === "interrupted") {
      kind = "major";
      if (mode === "user" && thread.hasSignal) {
        yield* thread.deliverSignals();
        return undefined;
      }
      if (isDying(thread)) return killed(address);
      yield* standBack(mm.machine, ++tries, patienceOf(mode));
      continue;
    }
    mm.lock.unlockRead();
    switch (result) {
      case "done":
        countFault(mm.machine, thread, kind);
        return undefined;
      case "oom":
        if (mode === "kernel") return raise(thread, mode, "SIGSEGV", "SEGV_MAPERR", address);
        yield* thread.pause(OOM_PAUSE_NS);
        continue;
      case "sigsegv":
        return raise(thread, mode, "SIGSEGV", "SEGV_MAPERR", address);
      case "hwpoison":
        return raise(thread, mode, "SIGBUS", "BUS_MCEERR_AR", address);
      default:
        return raise(thread, mode, "SIGBUS", "BUS_ADRERR", address);
    }
  }
}

/** The area at an address if it allows the access, otherwise the code of the SIGSEGV (FR-05); with the mmap lock held. */
function findAllowing(thread: UserThread, address: UserAddress, access: "read" | "write"): Vma | TrapCode {
  const area = thread.mm.areas.find(address);
  if (area === undefined) return "SEGV_MAPERR";
  const allowed = access === "write" ? VM_WRITE : VM_ACCESS_FLAGS;
  return (area.flags & allowed) === 0 ? "SEGV_ACCERR" : area;
}

/** No area allows the access: gives the mmap lock back. */
function refuse(thread: UserThread, mode: AccessMode, code: TrapCode, address: UserAddress): Trap {
  thread.mm.lock.unlockRead();
  return raise(thread, mode, "SIGSEGV", code, address);
}

function patienceOf(mode: AccessMode): "interruptible" | "killable" {
  return mode === "user" ? "interruptible" : "killable";
}

/** Whether a fatal signal waits, which the kernel leaves its loops for. */
function isDying(thread: UserThread): boolean {
  return thread.machine.sched.isDying(thread.task);
}

/** What an access by the kernel ends in when its thread is being killed: it is seen as -EFAULT by nobody. */
function killed(address: UserAddress): Trap {
  return { signal: "SIGBUS", code: "BUS_ADRERR", address };
}

/**
 * A fault was resolved `tries` times in a row and the access still finds no entry: a hook said that it had written one,
 * or others take it away each time. Signals are looked at, and the thread stands back after a while.
 *
 * @returns undefined when the access is to be tried again, otherwise the trap
 */
export function* afterFruitlessFault(
  thread: UserThread,
  address: UserAddress,
  mode: AccessMode,
  tries: number,
): Sleepable<Trap | undefined> {
  if (mode === "kernel" && isDying(thread)) return killed(address);
  if (mode === "user" && thread.hasSignal) yield* thread.deliverSignals();
  yield* standBack(thread.mm.machine, tries, patienceOf(mode));
  return undefined;
}

function raise(
  thread: UserThread,
  mode: AccessMode,
  signal: Trap["signal"],
  code: TrapCode,
  address: UserAddress,
): Trap {
  const { machine } = thread.process;
  machine.stats.failedFaults++;
  if (mode === "user") machine.log.record("signal", thread.process.pid, signalNumbers[signal], address);
  return { signal, code, address };
}
