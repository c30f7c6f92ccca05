import type { Sleepable } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";

/** How a task of the kernel ended. */
export type TaskEnd<T> =
  | { readonly kind: "done"; readonly result: T }
  | { readonly kind: "threw"; readonly cause: unknown }
  | { readonly kind: "stuck"; readonly waiting: string };

/** Runs kernel code in a thread of its own, and everything else that can run, until nothing more happens. */
export function runTask<T>(machine: Machine, name: string, body: () => Sleepable<T>): TaskEnd<T> {
  const task = machine.sched.spawn({ name, kind: "kernel", cpu: 0 }, body());
  const { waiting, status } = machine.sched.run();
  if (task.state !== "done") return { kind: "stuck", waiting: `${status}; ${waiting.join("; ")}` };
  if (task.failure !== undefined) return { kind: "threw", cause: task.failure };
  return { kind: "done", result: task.result as T };
}
