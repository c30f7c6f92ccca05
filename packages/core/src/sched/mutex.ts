import type { Atomic, Sleepable } from "../contract/execution.ts";
import { Access, ObjectKind, SLEEP } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { HeldLock, Lockable, Task } from "./task.ts";

/** A lock whose waiters sleep (`struct mutex`). */
export class Mutex implements Lockable, HeldLock {
  readonly name: string;
  readonly order: number;
  readonly lockClass: number;
  readonly #sched: Scheduler;
  #owner: Task | undefined = undefined;

  constructor(sched: Scheduler, name: string) {
    this.#sched = sched;
    this.name = name;
    this.order = sched.nextObject();
    this.lockClass = sched.lockOrder.classOf(name);
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
    this.#sched.lockOrder.acquireTried(this.#owner, this);
    return true;
  }

  /** `mutex_unlock`. */
  unlock(): void {
    const task = this.#owner;
    if (task === undefined) {
      this.#sched.violations.report("lock-held", `${this.name} is given back, but nobody holds it`);
      return;
    }
    const { current } = this.#sched;
    if (current !== undefined && current !== task) {
      this.#sched.violations.report(
        "lock-held",
        `${current.name} gives back ${this.name}, which ${task.name} holds`,
      );
      return;
    }
    this.#owner = undefined;
    this.#sched.lockOrder.release(task, this);
  }

  #take(task: Task): void {
    this.#owner = task;
    this.#sched.lockOrder.acquire(task, this);
  }
}
