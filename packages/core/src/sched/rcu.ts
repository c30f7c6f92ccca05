import type { Atomic, Sleepable } from "../contract/execution.ts";
import { Access, ObjectKind } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Task } from "./task.ts";
import { WaitQueue } from "./wait-queue.ts";

/** Read-copy-update: readers take no lock, and `synchronize` waits until every reader that began before has ended. */
export class Rcu {
  readonly #sched: Scheduler;
  readonly #index: number;
  readonly #readers = new Set<Task>();
  readonly #queue: WaitQueue;

  constructor(sched: Scheduler) {
    this.#sched = sched;
    this.#index = sched.nextObject();
    this.#queue = new WaitQueue(sched, "an RCU grace period");
  }

  /** Runs an atomic body as a read section (`rcu_read_lock` to `rcu_read_unlock`); sections nest. */
  *read<T>(body: () => Atomic<T>): Atomic<T> {
    const task = this.#sched.running;
    if (this.#sched.interleaving && task.rcuDepth === 0) {
      yield this.#sched.at(ObjectKind.cell, this.#index, Access.countUp);
    }
    if (task.rcuDepth++ === 0) this.#readers.add(task);
    try {
      return yield* body();
    } finally {
      if (--task.rcuDepth === 0) {
        this.#readers.delete(task);
        this.#sched.note(ObjectKind.cell, this.#index, Access.countUp);
        if (this.#queue.length > 0) this.#queue.wakeAllNow();
      }
    }
  }

  /** Waits for a grace period (`synchronize_rcu`). */
  *synchronize(): Sleepable<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.cell, this.#index, Access.write);
    const before = new Set(this.#readers);
    yield* this.#queue.waitUntil(() => {
      this.#sched.note(ObjectKind.cell, this.#index, Access.read);
      for (const task of before) if (!this.#readers.has(task)) before.delete(task);
      return before.size === 0;
    }, "uninterruptible");
  }
}
