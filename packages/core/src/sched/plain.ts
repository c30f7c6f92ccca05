import { PlainAccesses } from "../sanitize/data-race.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * A field of a plugin that several tasks touch and that something else protects: a lock, or that one task wakes the other.
 * Reading and writing it are no points and cost nothing; but on a machine with all sanitizers each access is held against
 * the others, and two that nothing orders, of which one writes, are reported as a data race (`KCSAN`).
 *
 * For what is touched without such protection (`READ_ONCE`, `WRITE_ONCE`, atomics) take `Shared`.
 */
export class Plain<T> {
  readonly name: string;
  readonly #accesses: PlainAccesses | undefined;
  #value: T;

  constructor(sched: Scheduler, name: string, initial: T) {
    this.name = name;
    this.#value = initial;
    this.#accesses = sched.clocks === undefined ? undefined : new PlainAccesses(sched, sched.clocks, name);
  }

  get(): T {
    this.#accesses?.read();
    return this.#value;
  }

  set(value: T): void {
    this.#accesses?.write();
    this.#value = value;
  }
}
