import type { Task } from "../sched/task.ts";

/** By task number: how much of what that task did comes before. What is beyond the end is 0. */
export type Clock = number[];

/** Something that puts the steps of those who use it in an order. */
export interface Ordering {
  /** What comes before whoever acquires it; undefined where nothing does. It is the clocks' own. */
  released: Clock | undefined;
}

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
  readonly #onUse: () => void;
  readonly #tasks: (Clock | undefined)[] = [];

  /** @param onUse told of each look at what was released */
  constructor(onUse: () => void) {
    this.#onUse = onUse;
  }

  /** How far the task itself is: what it does now has this number. */
  now(task: Task): number {
    return this.#of(task)[task.id] ?? 0;
  }

  /** Whether what task number `task` did at its time `at` comes before what `later` does now. */
  isBefore(task: number, at: number, later: Task): boolean {
    return (this.#of(later)[task] ?? 0) >= at;
  }

  /** What the task did so far comes before whatever acquires the object. */
  release(task: Task | undefined, object: Ordering): void {
    if (task === undefined) return;
    const clock = this.#of(task);
    if (object.released === undefined) object.released = clock.slice();
    else join(object.released, clock);
    clock[task.id] = (clock[task.id] ?? 0) + 1;
  }

  /** Whatever was released into the object comes before what the task does from now on. */
  acquire(task: Task | undefined, { released }: Ordering): void {
    this.#onUse();
    if (task !== undefined && released !== undefined) join(this.#of(task), released);
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
    while (this.#tasks.length <= task.id) this.#tasks.push(undefined);
    let clock = this.#tasks[task.id];
    if (clock === undefined) {
      // With room for as many tasks as most programs have.
      clock = [0, 0, 0, 0, 0, 0, 0, 0];
      while (clock.length <= task.id) clock.push(0);
      clock[task.id] = 1;
      this.#tasks[task.id] = clock;
    }
    return clock;
  }
}

function join(into: Clock, from: Clock): void {
  while (into.length < from.length) into.push(0);
  for (let task = 0; task < from.length; task++) {
    const entry = from[task] as number;
    if (entry > (into[task] as number)) into[task] = entry;
  }
}
