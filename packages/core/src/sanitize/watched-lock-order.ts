import { LockOrder } from "../sched/lock-order.ts";
import type { LockIdentity, Task } from "../sched/task.ts";
import type { Moment } from "./operation.ts";
import type { VectorClocks } from "./vector-clocks.ts";
import type { ViolationSink } from "./violation.ts";

/**
 * The order of locks on a machine with all sanitizers: remembers also where each pair was first taken, and where each lock was
 * taken that is held, and tells the clocks who comes after whom.
 */
export class WatchedLockOrder extends LockOrder {
  private readonly clocks: VectorClocks;
  /** Undefined where reports are brief: then only the clocks are told. */
  private readonly moment: ((what: string) => Moment) | undefined;
  /** By lock, what stands for its readers to the clocks: a writer comes after them, and they in no order among themselves. */
  private readonly readers = new WeakMap<LockIdentity, object>();
  /** By task and lock, where the task took it last. */
  private readonly takenAt = new WeakMap<Task, Map<LockIdentity, Moment>>();
  private readonly learnt = new Map<string, Moment>();

  constructor(
    violations: ViolationSink,
    clocks: VectorClocks,
    moment: ((what: string) => Moment) | undefined,
  ) {
    super(violations);
    this.clocks = clocks;
    this.moment = moment;
  }

  override acquire(task: Task, lock: LockIdentity): void {
    super.acquire(task, lock);
    this.remember(task, lock);
    this.clocks.acquire(task, this.readersOf(lock));
  }

  override acquireTried(task: Task, lock: LockIdentity): void {
    super.acquireTried(task, lock);
    this.remember(task, lock);
    this.clocks.acquire(task, this.readersOf(lock));
  }

  override release(task: Task, lock: LockIdentity): void {
    super.release(task, lock);
    this.clocks.release(task, lock);
  }

  override acquireShared(task: Task, lock: LockIdentity): void {
    super.acquire(task, lock);
    this.remember(task, lock);
  }

  override acquireSharedTried(task: Task, lock: LockIdentity): void {
    super.acquireTried(task, lock);
    this.remember(task, lock);
  }

  override releaseShared(task: Task, lock: LockIdentity): void {
    super.release(task, lock);
    this.clocks.release(task, this.readersOf(lock));
  }

  override downgrade(task: Task, lock: LockIdentity): void {
    this.clocks.release(task, lock);
  }

  override takenBy(task: Task, lock: LockIdentity): Moment | undefined {
    return this.takenAt.get(task)?.get(lock);
  }

  protected override learns(outer: number, inner: number): void {
    if (this.moment === undefined) return;
    const key = `${outer} ${inner}`;
    if (!this.learnt.has(key)) this.learnt.set(key, this.moment(this.describePair(outer, inner)));
  }

  protected override learntAt(outer: number, inner: number): Moment | undefined {
    return this.learnt.get(`${outer} ${inner}`);
  }

  private remember(task: Task, lock: LockIdentity): void {
    this.clocks.acquire(task, lock);
    if (this.moment === undefined) return;
    const locks = this.takenAt.get(task) ?? new Map<LockIdentity, Moment>();
    this.takenAt.set(task, locks);
    locks.set(lock, this.moment(`takes ${lock.name}`));
  }

  private readersOf(lock: LockIdentity): object {
    const known = this.readers.get(lock);
    if (known !== undefined) return known;
    const readers = {};
    this.readers.set(lock, readers);
    return readers;
  }
}
