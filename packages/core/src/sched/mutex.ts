import type { Atomic, Sleepable } from "../contract/execution.ts";
import { Access, ObjectKind, SLEEP } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Lockable, LockIdentity, Task } from "./task.ts";

/** A lock whose waiters sleep (`struct mutex`). */
export class Mutex implements Lockable {
  readonly name: string;
  readonly order: number;
  readonly #sched: Scheduler;
  readonly #identity: LockIdentity;
  #owner: Task | undefined = undefined;

  constructor(sched: Scheduler, name: string) {
    this.#sched = sched;
    this.name = name;
    this.order = sched.nextObject();
    this.#identity = sched.lockOrder.identify(name, this.order);
  }

  canTake(_task: Task): boolean {
    return this.#owner === undefined;
  }

  holders(): readonly Task[] {
    return this.#owner === undefined ? [] : [this.#owner];
  }

  /** Runs a body with the mutex held. */
  *with<T>(body: () => Sleepable<T>): Sleepable<T> {
    yield* this.lock();
    try {
      return yield* body();
    } finally {
      this.unlock();
    }
  }

  /** `mutex_lock`. */
  *lock(): Sleepable<void> {
    const task = this.#sched.running;
    this.#sched.mightSleep(this.name);
    if (this.#sched.interleaving) {
      task.blockedOn = this;
      yield this.#sched.at(ObjectKind.lock, this.order, Access.lock);
    }
    while (this.#owner !== undefined) {
      task.blockedOn = this;
      yield SLEEP;
    }
    this.#take(task);
  }

  /** `mutex_trylock`: false when somebody holds it. */
  *tryLock(): Atomic<boolean> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.lock, this.order, Access.lock);
    if (this.#owner !== undefined) return false;
    this.#owner = this.#sched.running;
    this.#sched.lockOrder.acquireTried(this.#owner, this.#identity);
    return true;
  }

  /** `mutex_unlock`. */
  unlock(): void {
    const task = this.#owner;
    if (task === undefined) {
      this.#sched.violations.report("lock-held", `${this.name} is given back, but nobody holds it`, {
        object: this.name,
      });
      return;
    }
    const { current } = this.#sched;
    if (current !== undefined && current !== task) {
      this.#sched.violations.report(
        "lock-held",
        `${current.name} gives back ${this.name}, which ${task.name} holds`,
        { object: this.name, earlier: this.#sched.lockOrder.takenBy(task, this.#identity) },
      );
      return;
    }
    this.#owner = undefined;
    // Whoever only tries to take it gets another answer after this step.
    this.#sched.note(ObjectKind.lock, this.order, Access.unlock);
    this.#sched.lockOrder.release(task, this.#identity);
  }

  #take(task: Task): void {
    this.#owner = task;
    this.#sched.lockOrder.acquire(task, this.#identity);
  }
}
