import type { Atomic, Sleepable } from "../contract/execution.ts";
import { Access, ObjectKind, SLEEP } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Lockable, LockIdentity, Task } from "./task.ts";

/**
 * A sleeping lock for many readers or one writer (`struct rw_semaphore`); the mmap lock and the reverse map's are of
 * this kind. A waiting writer does not hold off new readers in the model.
 */
export class RwSemaphore implements Lockable {
  readonly name: string;
  readonly order: number;
  readonly #sched: Scheduler;
  readonly #identity: LockIdentity;
  #writer: Task | undefined = undefined;
  readonly #readers: Task[] = [];

  constructor(sched: Scheduler, name: string) {
    this.#sched = sched;
    this.name = name;
    this.order = sched.nextObject();
    this.#identity = sched.lockOrder.identify(name, this.order);
  }

  get isWriteLocked(): boolean {
    return this.#writer !== undefined;
  }

  /** Whether the current task holds it for writing (`mmap_assert_write_locked`). */
  get isWrittenByCurrent(): boolean {
    return this.#writer !== undefined && this.#writer === this.#sched.current;
  }

  /** Whether the current task holds it in any way (`mmap_assert_locked`). */
  get isHeldByCurrent(): boolean {
    const task = this.#sched.current;
    return task !== undefined && (this.#writer === task || this.#readers.includes(task));
  }

  canTake(task: Task): boolean {
    return this.#writer === undefined && (task.wantsShared || this.#readers.length === 0);
  }

  holders(): readonly Task[] {
    return this.#writer === undefined ? this.#readers : [this.#writer];
  }

  /** `down_read`. */
  *read(): Sleepable<void> {
    const task = this.#sched.running;
    this.#sched.mightSleep(this.name);
    if (this.#sched.interleaving) {
      task.blockedOn = this;
      task.wantsShared = true;
      yield this.#sched.at(ObjectKind.lock, this.order, Access.lockShared);
    }
    while (this.#writer !== undefined) {
      task.blockedOn = this;
      task.wantsShared = true;
      yield SLEEP;
    }
    this.#takeRead(task);
  }

  /** Takes it for reading in this step if nobody writes; for code that has already announced the point or need not. */
  takeReadNow(): boolean {
    if (this.#writer !== undefined) return false;
    this.#takeRead(this.#sched.running);
    return true;
  }

  /** `down_read_trylock`. */
  *tryRead(): Atomic<boolean> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.lock, this.order, Access.lockShared);
    if (this.#writer !== undefined) return false;
    const task = this.#sched.running;
    this.#readers.push(task);
    this.#sched.lockOrder.acquireTried(task, this.#identity);
    return true;
  }

  /** `up_read`. */
  unlockRead(): void {
    const task = this.#sched.running;
    const readers = this.#readers;
    if (readers[readers.length - 1] === task) {
      readers.pop();
      this.#sched.lockOrder.release(task, this.#identity);
      return;
    }
    const index = readers.lastIndexOf(task);
    if (index < 0) {
      this.#sched.violations.report(
        "lock-held",
        `${task.name} gives back ${this.name}, which it does not hold`,
      );
      return;
    }
    readers.splice(index, 1);
    this.#sched.lockOrder.release(task, this.#identity);
  }

  /** `down_write`. */
  *write(): Sleepable<void> {
    const task = this.#sched.running;
    this.#sched.mightSleep(this.name);
    if (this.#sched.interleaving) {
      task.blockedOn = this;
      task.wantsShared = false;
      yield this.#sched.at(ObjectKind.lock, this.order, Access.lock);
    }
    while (this.#writer !== undefined || this.#readers.length > 0) {
      task.blockedOn = this;
      task.wantsShared = false;
      yield SLEEP;
    }
    this.#writer = task;
    this.#sched.lockOrder.acquire(task, this.#identity);
  }

  /** `up_write`. */
  unlockWrite(): void {
    const task = this.#writer;
    if (task === undefined) {
      this.#sched.violations.report("lock-held", `${this.name} is given back, but nobody writes`);
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
    this.#writer = undefined;
    this.#sched.lockOrder.release(task, this.#identity);
  }

  /** Turns the writer into a reader without letting another writer in between (`downgrade_write`). */
  downgrade(): void {
    const task = this.#sched.running;
    if (this.#writer !== task) {
      this.#sched.violations.report(
        "lock-held",
        `${task.name} downgrades ${this.name}, which it does not hold`,
      );
      return;
    }
    this.#writer = undefined;
    this.#readers.push(task);
  }

  #takeRead(task: Task): void {
    this.#readers.push(task);
    this.#sched.lockOrder.acquire(task, this.#identity);
  }
}
