import { VM_READ, VM_WRITE } from "../contract/area-flags.ts";
import type { Sleepable } from "../contract/execution.ts";
import { signalNumbers, type Trap, type TrapCode } from "../contract/signals.ts";
import type { UserAddress } from "../contract/units.ts";
import type { UserThread } from "../user/user-thread.ts";
import { handleFault } from "./fault.ts";

/** Whether the thread itself touched the memory, or the kernel on its behalf (`copy_to_user`). */
export type AccessMode = "user" | "kernel";

/** How long a thread stands back after a fault found no memory, in virtual nanoseconds, before it tries again. */
const OOM_PAUSE_NS = 1_000_000;

/**
 * A page fault taken in user mode (`do_user_addr_fault`): finds the area, checks its permissions, resolves the fault,
 * and turns what cannot be resolved into a signal. After a wait the area is looked up again from the start (QU-08).
 *
 * In kernel mode the caller reports the trap as -EFAULT, and no signal is delivered on the way (FR-09).
 *
 * @returns undefined when the access is to be tried again, otherwise the trap
 */
export function* userFault(
  thread: UserThread,
  address: UserAddress,
  access: "read" | "write",
  mode: AccessMode,
): Sleepable<Trap | undefined> {
  const { mm } = thread;
  const { machine } = mm;
  const { sched } = machine;
  if (machine.log.enabled) machine.log.record("fault", mm.id, address, access === "write" ? 1 : 0);
  let hasWaited = false;
  for (;;) {
    if (sched.interleaving || !mm.lock.takeReadNow()) yield* mm.lock.read();
    const area = mm.areas.find(address);
    if (area === undefined) {
      mm.lock.unlockRead();
      return raise(thread, mode, "SIGSEGV", "SEGV_MAPERR", address);
    }
    const allowed = access === "write" ? VM_WRITE : VM_READ | VM_WRITE;
    if ((area.flags & allowed) === 0) {
      mm.lock.unlockRead();
      return raise(thread, mode, "SIGSEGV", "SEGV_ACCERR", address);
    }
    const result = yield* handleFault(area, address, access, mode === "user" ? "interruptible" : "killable");
    switch (result) {
      case "done":
        mm.lock.unlockRead();
        if (hasWaited) {
          machine.stats.majorFaults++;
          thread.majorFaults++;
        } else {
          machine.stats.minorFaults++;
          thread.minorFaults++;
        }
        return undefined;
      case "retry":
        hasWaited = true;
        if (mode === "user" && thread.hasSignal) yield* thread.deliverSignals();
        continue;
      case "interrupted":
        hasWaited = true;
        if (mode === "kernel") return { signal: "SIGBUS", code: "BUS_ADRERR", address };
        yield* thread.deliverSignals();
        continue;
      case "oom":
        mm.lock.unlockRead();
        yield* thread.pause(OOM_PAUSE_NS);
        continue;
      case "sigsegv":
        mm.lock.unlockRead();
        return raise(thread, mode, "SIGSEGV", "SEGV_MAPERR", address);
      case "hwpoison":
        mm.lock.unlockRead();
        return raise(thread, mode, "SIGBUS", "BUS_MCEERR_AR", address);
      default:
        mm.lock.unlockRead();
        return raise(thread, mode, "SIGBUS", "BUS_ADRERR", address);
    }
  }
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
