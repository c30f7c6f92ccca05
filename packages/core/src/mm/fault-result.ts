import type { Sleepable } from "../contract/execution.ts";
import type { Vma } from "./vma.ts";

/**
 * How the core's fault path ended.
 *
 * - `done`: there is an entry now, or was when somebody else was faster; the access is tried again.
 * - `retry` and `interrupted`: the mmap lock was dropped on the way, so the area may be gone; after `interrupted` a
 *   signal waits for delivery.
 * - `would-wait`: the fault may not wait, and it would have to.
 * - the rest become signals or error numbers of the caller.
 */
export type FaultResult =
  | "done"
  | "retry"
  | "interrupted"
  | "would-wait"
  | "sigbus"
  | "sigsegv"
  | "hwpoison"
  | "oom";

/** How long a fault may wait: until a signal of any kind, until a fatal one, or not at all (`FAULT_FLAG_*`). */
export type FaultPatience = "interruptible" | "killable" | "no-wait";

/**
 * Drops the mmap lock and waits, so that other threads of the process can go on meanwhile (QU-04). When the gate is
 * gone for good the next attempt meets SIGBUS.
 */
export function* waitAtGate(
  area: Vma,
  address: number,
  until: "gate-opens" | "now",
  patience: FaultPatience,
): Sleepable<FaultResult> {
  const gate = area.backing?.gate;
  if (gate?.state === "gone") return "sigbus";
  if (patience === "no-wait") return "would-wait";
  const { mm } = area;
  mm.machine.log.record("fault-waits", mm.id, address, area.id);
  mm.lock.unlockRead();
  if (until === "now" || gate === undefined) return "retry";
  const interrupted = yield* gate.waitUntilOpen(patience);
  return interrupted === 0 ? "retry" : "interrupted";
}
