import type { VirtualNs } from "../contract/units.ts";
import type { Task } from "../sched/task.ts";

/** One call that a task is inside of, and the calls around it. */
export interface Call {
  readonly name: string;
  readonly outer: Call | undefined;
}

/** One of the operations that met in a violation: what was done, by whom, where and when, and on whose behalf. */
export interface Operation {
  /** What was done, in words. */
  readonly what: string;
  /** The task that did it, or `boot` outside of any. */
  readonly task: string;
  /** The CPU it ran on; -1 for hardware and for what ran outside of any task. */
  readonly cpu: number;
  readonly time: VirtualNs;
  /** The calls it was inside of, outermost first: system call or fault, hook of a plugin, function of the kernel. */
  readonly callers: readonly string[];
  /** How many events the log had then: the next one has this index. */
  readonly event: number;
}

/** An operation as it is remembered while nobody has asked for it: it costs one small object. */
export class Moment {
  readonly what: string;
  readonly task: Task | undefined;
  readonly time: VirtualNs;
  readonly calls: Call | undefined;
  readonly event: number;

  constructor(what: string, task: Task | undefined, time: VirtualNs, event: number) {
    this.what = what;
    this.task = task;
    this.time = time;
    this.calls = task?.calls;
    this.event = event;
  }

  /** The same for a report. */
  asOperation(): Operation {
    const { what, task, time, event } = this;
    const callers: string[] = [];
    for (let call = this.calls; call !== undefined; call = call.outer) callers.unshift(call.name);
    return { what, task: task?.name ?? "boot", cpu: task?.cpu ?? -1, time, callers, event };
  }
}
