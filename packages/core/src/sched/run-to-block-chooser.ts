import type { Chooser } from "./chooser.ts";
import type { Task } from "./task.ts";

/**
 * The default and the fastest: a task runs until it sleeps, then the next in turn does; interrupt handlers go
 * first, as they would on a CPU.
 */
export const runToBlock: Chooser = {
  name: "run-to-block",
  interleaves: false,
  choose(enabled: readonly Task[], last: Task | undefined): Task {
    let next: Task | undefined;
    for (const task of enabled) {
      if (task.kind === "irq") return task;
      if (next === undefined && (last === undefined || task.id > last.id)) next = task;
    }
    if (last !== undefined && !last.gaveWay && enabled.includes(last)) return last;
    return next ?? (enabled[0] as Task);
  },
};
