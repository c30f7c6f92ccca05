import type { Atomic } from "../contract/execution.ts";
import type { Clock, Ordering } from "../sanitize/vector-clocks.ts";
import { Access, ObjectKind } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";

/** A cell of memory that several CPUs touch without a lock (`READ_ONCE`/`WRITE_ONCE`): each access is a point. */
export class Shared<T> implements Ordering {
  /** For the clocks. */
  released: Clock | undefined = undefined;
  readonly name: string;
  /** Its identity for a step that touches something else as well: see `Scheduler.also`. */
  readonly index: number;
  readonly #sched: Scheduler;
  #value: T;

  constructor(sched: Scheduler, name: string, initial: T) {
    this.#sched = sched;
    this.name = name;
    this.index = sched.nextObject();
    this.#value = initial;
  }

  *get(): Atomic<T> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.index, Access.read);
    this.#sched.clocks?.acquire(this.#sched.current, this);
    return this.#value;
  }

  *set(value: T): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.index, Access.write);
    this.#sched.clocks?.release(this.#sched.current, this);
    this.#value = value;
  }

  /** Changes the cell in one indivisible step and answers with the value from before (`xchg`, `atomic_fetch_…`). */
  *update(change: (value: T) => T): Atomic<T> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.index, Access.write);
    this.#sched.clocks?.acquire(this.#sched.current, this);
    this.#sched.clocks?.release(this.#sched.current, this);
    const before = this.#value;
    this.#value = change(before);
    return before;
  }
}
