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
  // Private to TypeScript only: see `NopageCall`.
  private readonly sched: Scheduler;
  private readonly identity: LockIdentity;
  private writer: Task | undefined = undefined;
  /** One of the readers; mostly there is no other, and no list has to grow and shrink for it. */
  private reader: Task | undefined = undefined;
  private readonly otherReaders: Task[] = [];

  constructor(sched: Scheduler, name: string) {
    this.sched = sched;
    this.name = name;
    this.order = sched.nextObject();
    this.identity = sched.lockOrder.identify(name, this.order);
  }

  get isWriteLocked(): boolean {
    return this.writer !== undefined;
  }

  /** Whether the current task holds it for writing (`mmap_assert_write_locked`). */
  get isWrittenByCurrent(): boolean {
    return this.writer !== undefined && this.writer === this.sched.current;
  }

  /** Whether the current task holds it in any way (`mmap_assert_locked`). */
  get isHeldByCurrent(): boolean {
    const task = this.sched.current;
    return task !== undefined && this.holders().includes(task);
  }

  canTake(task: Task): boolean {
    return this.writer === undefined && (task.wantsShared || !this.isRead);
  }

  holders(): readonly Task[] {
    if (this.writer !== undefined) return [this.writer];
    return this.reader === undefined ? this.otherReaders : [this.reader, ...this.otherReaders];
  }

  /** `down_read`. */
  *read(): Sleepable<void> {
    const task = this.sched.running;
    this.sched.mightSleep(this.name);
    if (this.sched.interleaving) {
      task.blockedOn = this;
      task.wantsShared = true;
      yield this.sched.at(ObjectKind.lock, this.order, Access.lockShared);
    }
    while (this.writer !== undefined) {
      task.blockedOn = this;
      task.wantsShared = true;
      yield SLEEP;
    }
    this.takeRead(task);
  }

  /** Takes it for reading in this step if nobody writes; for code that has already announced the point or need not. */
  takeReadNow(): boolean {
    if (this.writer !== undefined) return false;
    this.takeRead(this.sched.running);
    return true;
  }

  /** `down_read_trylock`. */
  *tryRead(): Atomic<boolean> {
    if (this.sched.interleaving) yield this.sched.at(ObjectKind.lock, this.order, Access.lockShared);
    if (this.writer !== undefined) return false;
    const task = this.sched.running;
    this.addReader(task);
    this.sched.lockOrder.acquireSharedTried(task, this.identity);
    return true;
  }

  /** `up_read`. */
  unlockRead(): void {
    const task = this.sched.running;
    if (this.reader === task) this.reader = undefined;
    else if (!this.dropOtherReader(task)) return;
    this.noteUnlock(Access.unlockShared);
    this.sched.lockOrder.releaseShared(task, this.identity);
  }

  /** Notes that the lock may be free after this step: whoever only tries to take it gets another answer. */
  private noteUnlock(access: Access): void {
    if (this.sched.interleaving) this.sched.note(ObjectKind.lock, this.order, access);
  }

  /** `down_write`. */
  *write(): Sleepable<void> {
    const task = this.sched.running;
    this.sched.mightSleep(this.name);
    if (this.sched.interleaving) {
      task.blockedOn = this;
      task.wantsShared = false;
      yield this.sched.at(ObjectKind.lock, this.order, Access.lock);
    }
    while (this.writer !== undefined || this.isRead) {
      task.blockedOn = this;
      task.wantsShared = false;
      yield SLEEP;
    }
    this.writer = task;
    this.sched.lockOrder.acquire(task, this.identity);
  }

  /** `up_write`. */
  unlockWrite(): void {
    const task = this.writer;
    if (task === undefined) {
      this.sched.violations.report("lock-held", `${this.name} is given back, but nobody writes`, {
        object: this.name,
      });
      return;
    }
    const { current } = this.sched;
    if (current !== undefined && current !== task) {
      this.sched.violations.report(
        "lock-held",
        `${current.name} gives back ${this.name}, which ${task.name} holds`,
        { object: this.name, earlier: this.sched.lockOrder.takenBy(task, this.identity) },
      );
      return;
    }
    this.writer = undefined;
    this.noteUnlock(Access.unlock);
    this.sched.lockOrder.release(task, this.identity);
  }

  /** Turns the writer into a reader without letting another writer in between (`downgrade_write`). */
  downgrade(): void {
    const task = this.sched.running;
    if (this.writer !== task) {
      this.reportNotHeld("downgrades", task);
      return;
    }
    this.writer = undefined;
    this.noteUnlock(Access.unlock);
    this.sched.lockOrder.downgrade(task, this.identity);
    this.addReader(task);
  }

  private get isRead(): boolean {
    return this.reader !== undefined || this.otherReaders.length > 0;
  }

  private takeRead(task: Task): void {
    this.addReader(task);
    this.sched.lockOrder.acquireShared(task, this.identity);
  }

  private addReader(task: Task): void {
    if (this.reader === undefined) this.reader = task;
    else this.otherReaders.push(task);
  }

  /** Takes a task from the list of readers; one that does not stand there is reported. */
  private dropOtherReader(task: Task): boolean {
    const index = this.otherReaders.lastIndexOf(task);
    if (index >= 0) this.otherReaders.splice(index, 1);
    else this.reportNotHeld("gives back", task);
    return index >= 0;
  }

  private reportNotHeld(what: string, task: Task): void {
    this.sched.violations.report("lock-held", `${task.name} ${what} ${this.name}, which it does not hold`, {
      object: this.name,
    });
  }
}
