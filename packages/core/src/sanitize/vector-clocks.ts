import type { Task } from "../sched/task.ts";

/** By task number: how much of what that task did comes before. What is left out is 0. */
type Clock = number[];

/**
 * What happened before what, as far as locks, wake-ups and atomic cells order it: the vector clocks of a detector of data
 * races (as in KCSAN's and ThreadSanitizer's reports, but exact). Two plain accesses that no such chain orders are a
 * race, whichever came first in this run.
 *
 * Orders: giving a lock back, before taking it; a write to a `Shared` cell or a gate, before a look at it; waking, before
 * what is woken; a wait that ended, after the wake-ups of its queue; making a task, before all that it does. Sleeping
 * for a while orders nothing. Points alone order nothing either: they are where others may step in.
 */
export class VectorClocks {
  readonly #tasks: Clock[] = [];
  readonly #released = new WeakMap<object, Clock>();

  /** How far the task itself is: what it does now has this number. */
  now(task: Task): number {
    return this.#of(task)[task.id] ?? 0;
  }

  /** Whether what task number `task` did at its time `at` comes before what `later` does now. */
  isBefore(task: number, at: number, later: Task): boolean {
    return (this.#of(later)[task] ?? 0) >= at;
  }

  /** What the task did so far comes before whatever acquires the object. */
  release(task: Task | undefined, object: object): void {
    if (task === undefined) return;
    const clock = this.#of(task);
    const known = this.#released.get(object);
    if (known === undefined) this.#released.set(object, [...clock]);
    else join(known, clock);
    clock[task.id] = (clock[task.id] ?? 0) + 1;
  }

  /** Whatever was released into the object comes before what the task does from now on. */
  acquire(task: Task | undefined, object: object): void {
    const known = this.#released.get(object);
    if (task !== undefined && known !== undefined) join(this.#of(task), known);
  }

  /** What one task did so far, or outside of any task everybody, comes before what the other does from now on. */
  handOver(from: Task | undefined, to: Task): void {
    const clock = this.#of(to);
    if (from === undefined) {
      for (const [id, other] of this.#tasks.entries()) {
        if (other === undefined || other === clock) continue;
        join(clock, other);
        other[id] = (other[id] ?? 0) + 1;
      }
      return;
    }
    const source = this.#of(from);
    join(clock, source);
    source[from.id] = (source[from.id] ?? 0) + 1;
  }

  #of(task: Task): Clock {
    let clock = this.#tasks[task.id];
    if (clock === undefined) {
      clock = [];
      clock[task.id] = 1;
      this.#tasks[task.id] = clock;
    }
    return clock;
  }
}

function join(into: Clock, from: Clock): void {
  for (let task = 0; task < from.length; task++) {
    const entry = from[task] ?? 0;
    if (entry > (into[task] ?? 0)) into[task] = entry;
  }
}
