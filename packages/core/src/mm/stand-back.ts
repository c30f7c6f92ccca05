import type { Sleepable } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";

/** Fruitless tries that follow each other at once: a race that was lost is won at the next try. */
const TRIES_AT_ONCE = 2;
/** How long a task stands back after more of them, in virtual nanoseconds. */
const PAUSE_NS = 1000;

/**
 * Called after a fault that came to nothing and is to be tried again. A driver that answers so for ever must hang
 * neither the machine nor its clock: from the third time on, the task stands back for a while. The caller looks at
 * signals afterwards, so its loop can be ended by one (FR-06).
 */
export function* standBack(
  machine: Machine,
  tries: number,
  mode: "interruptible" | "killable",
): Sleepable<void> {
  if (tries <= TRIES_AT_ONCE) return;
  const { sched } = machine;
  const deadline = sched.now + PAUSE_NS;
  yield* machine.retryTimer.waitUntilOr(() => sched.now >= deadline, mode, deadline);
}
