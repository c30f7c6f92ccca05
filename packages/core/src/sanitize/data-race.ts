import type { Scheduler } from "../sched/scheduler.ts";
import type { Task } from "../sched/task.ts";
import type { Moment } from "./operation.ts";
import type { VectorClocks } from "./vector-clocks.ts";

/** One access, as the clocks know it. */
interface Seen {
  readonly task: Task;
  readonly at: number;
  readonly moment: Moment;
}

/**
 * The accesses to one plain cell that a later one may race with: the last write, and by task the last read since. Of each pair
 * of tasks one race is reported.
 */
export class PlainAccesses {
  readonly #sched: Scheduler;
  readonly #clocks: VectorClocks;
  readonly #name: string;
  #written: Seen | undefined = undefined;
  #reads: Seen[] = [];
  readonly #reported = new Set<string>();

  constructor(sched: Scheduler, clocks: VectorClocks, name: string) {
    this.#sched = sched;
    this.#clocks = clocks;
    this.#name = name;
  }

  /** The current task reads the cell. */
  read(): void {
    const seen = this.#now(`reads ${this.#name}`);
    if (seen === undefined) return;
    this.#check(this.#written, seen);
    this.#reads = this.#reads.filter(({ task }) => task !== seen.task);
    this.#reads.push(seen);
  }

  /** The current task writes the cell. */
  write(): void {
    const seen = this.#now(`writes ${this.#name}`);
    if (seen === undefined) return;
    this.#check(this.#written, seen);
    for (const read of this.#reads) this.#check(read, seen);
    this.#reads = [];
    this.#written = seen;
  }

  /** Outside of any task everybody is at rest: nothing can race with that. */
  #now(what: string): Seen | undefined {
    const task = this.#sched.current;
    if (task === undefined) return undefined;
    return { task, at: this.#clocks.now(task), moment: this.#sched.moment(what) };
  }

  #check(earlier: Seen | undefined, now: Seen): void {
    if (earlier === undefined || earlier.task === now.task) return;
    if (this.#clocks.isBefore(earlier.task.id, earlier.at, now.task)) return;
    const pair = [earlier.task.id, now.task.id].sort((one, other) => one - other).join(" ");
    if (this.#reported.has(pair)) return;
    this.#reported.add(pair);
    const message = `${now.task.name} ${now.moment.what}, and ${earlier.task.name} ${earlier.moment.what}, with nothing that orders the two`;
    this.#sched.violations.report("data-race", message, { object: this.#name, earlier: earlier.moment });
  }
}
