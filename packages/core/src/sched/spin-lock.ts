import type { Atomic, Point } from "../contract/execution.ts";
import { Access, ObjectKind } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Lockable, LockIdentity, Task } from "./task.ts";

/**
 * A lock for atomic context (`spinlock_t`): its holder can neither sleep nor be preempted. Under run-to-block it is
 * never contended, because its holder cannot give up the CPU.
 */
export class SpinLock implements Lockable {
  readonly name: string;
  readonly order: number;
  // Private to TypeScript only: see `NopageCall`.
  private readonly sched: Scheduler;
  private readonly identity: LockIdentity;
  private owner: Task | undefined = undefined;

  constructor(sched: Scheduler, name: string) {
    this.sched = sched;
    this.name = name;
    this.order = sched.nextObject();
    this.identity = sched.lockOrder.identify(name, this.order);
  }

  get isHeld(): boolean {
    return this.owner !== undefined;
  }

  canTake(_task: Task): boolean {
    return this.owner === undefined;
  }

  holders(): readonly Task[] {
    return this.owner === undefined ? [] : [this.owner];
  }

  /** Runs an atomic body with the lock held; a body that sleeps does not compile. */
  *with<T>(body: () => Atomic<T>): Atomic<T> {
    yield* this.lock();
    try {
      return yield* body();
    } finally {
      this.unlock();
    }
  }

  /**
   * `with`, and no interrupt handler runs on this CPU until the lock is given back (`spin_lock_irqsave`). For a lock
   * that a handler takes as well: a handler that came in between would spin for ever on what its own CPU holds.
   */
  *withIrqsOff<T>(body: () => Atomic<T>): Atomic<T> {
    const task = this.sched.running;
    task.irqsOff++;
    try {
      return yield* this.with(body);
    } finally {
      task.irqsOff--;
    }
  }

  /** `spin_lock`. */
  *lock(): Atomic<void> {
    if (this.sched.interleaving) yield this.announceLock();
    this.take();
  }

  /** `spin_trylock`: false when somebody else holds it. */
  *tryLock(): Atomic<boolean> {
    if (this.sched.interleaving) yield this.sched.at(ObjectKind.lock, this.order, Access.lock);
    if (this.owner !== undefined) return false;
    const task = this.sched.running;
    this.owner = task;
    task.spinDepth++;
    this.sched.lockOrder.acquireTried(task, this.identity);
    return true;
  }

  /** The point before `take`, for code that tests `interleaving` itself instead of delegating to `lock`. */
  announceLock(): Point {
    const task = this.sched.current;
    if (task !== undefined) task.blockedOn = this;
    return this.sched.at(ObjectKind.lock, this.order, Access.lock);
  }

  /** Takes the free lock in this very step. */
  take(): void {
    const task = this.sched.current;
    if (task === undefined) return;
    if (this.owner !== undefined) throw this.endlessSpin(task, this.owner);
    this.owner = task;
    task.spinDepth++;
    this.sched.lockOrder.acquire(task, this.identity);
  }

  /** `spin_unlock`. What the holder did stands before whoever takes the lock next. */
  unlock(): void {
    const task = this.owner;
    if (task === undefined) {
      this.reportNotHeld();
      return;
    }
    this.owner = undefined;
    // Whoever only tries to take it gets another answer after this step.
    if (this.sched.interleaving) this.sched.note(ObjectKind.lock, this.order, Access.unlock);
    this.sched.lockOrder.release(task, this.identity);
    if (--task.spinDepth === 0) this.sched.endAtomicStretch(task);
  }

  private endlessSpin(task: Task, owner: Task): Error {
    return new Error(`${task.name} spins on ${this.name} for ever: ${owner.name} holds it on this CPU`);
  }

  /** Nobody holds what is given back; at boot nobody runs, so locks are not held either. */
  private reportNotHeld(): void {
    if (this.sched.current === undefined) return;
    this.sched.violations.report("lock-held", `${this.name} is given back, but nobody holds it`, {
      object: this.name,
    });
  }
}
