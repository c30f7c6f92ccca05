import { LockOrder } from "../sched/lock-order.ts";
import type { LockIdentity, Task } from "../sched/task.ts";
import type { Moment } from "./operation.ts";
import type { VectorClocks } from "./vector-clocks.ts";
import type { ViolationSink } from "./violation.ts";

/** How locks are taken, as bits. */
const IN_HANDLER = 1;
const INTERRUPTIBLE = 2;

/**
 * The order of locks on a machine with all sanitizers: remembers also where each pair was first taken, and where each lock was
 * taken that is held, and tells the clocks who comes after whom.
 */
export class WatchedLockOrder extends LockOrder {
  private readonly clocks: VectorClocks;
  /** Undefined where reports are brief: then only the clocks are told. */
  private readonly moment: ((what: string) => Moment) | undefined;
  /** By task and lock, where the task took it last. */
  private takenAt: Map<Task, Map<LockIdentity, Moment>> | undefined = undefined;
  private learnt: Map<string, Moment> | undefined = undefined;
  /** By class, how it was taken so far, in bits. */
  private readonly uses: number[] = [];
  /** By class and how it was taken, where that was first. */
  private usedAt: Map<string, Moment> | undefined = undefined;

  constructor(
    violations: ViolationSink,
    clocks: VectorClocks,
    moment: ((what: string) => Moment) | undefined,
    scrapped?: LockOrder,
  ) {
    super(violations, scrapped);
    this.clocks = clocks;
    this.moment = moment;
  }

  override acquire(task: Task, lock: LockIdentity): void {
    super.acquire(task, lock);
    this.noteUse(task, lock, task.kind === "irq" ? IN_HANDLER : INTERRUPTIBLE);
    this.remember(task, lock);
    this.clocks.acquire(task, lock.readers);
  }

  override acquireTried(task: Task, lock: LockIdentity): void {
    super.acquireTried(task, lock);
    // A handler that does not wait for it cannot wait for ever.
    if (task.kind !== "irq") this.noteUse(task, lock, INTERRUPTIBLE);
    this.remember(task, lock);
    this.clocks.acquire(task, lock.readers);
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
    this.clocks.release(task, lock.readers);
  }

  override downgrade(task: Task, lock: LockIdentity): void {
    this.clocks.release(task, lock);
  }

  override takenBy(task: Task, lock: LockIdentity): Moment | undefined {
    return this.takenAt?.get(task)?.get(lock);
  }

  protected override learns(outer: number, inner: number): void {
    if (this.moment === undefined) return;
    const key = `${outer} ${inner}`;
    this.learnt ??= new Map();
    if (!this.learnt.has(key)) this.learnt.set(key, this.moment(this.describePair(outer, inner)));
  }

  protected override learntAt(outer: number, inner: number): Moment | undefined {
    return this.learnt?.get(`${outer} ${inner}`);
  }

  /**
   * A lock that interrupt handlers take may be held with interrupts off only: a handler that came in between would wait for ever
   * for what its own CPU holds. It need not happen in this run to be found (lockdep's usage bits,
   * Documentation/locking/lockdep-design.rst).
   */
  private noteUse(task: Task, lock: LockIdentity, use: number): void {
    if (task.cpu < 0 || (use === INTERRUPTIBLE && task.irqsOff > 0)) return;
    const { lockClass, name } = lock;
    const before = this.uses[lockClass] ?? 0;
    if ((before & use) !== 0) return;
    this.uses[lockClass] = before | use;
    if (this.moment !== undefined) {
      this.usedAt ??= new Map();
      this.usedAt.set(`${lockClass} ${use}`, this.moment(`takes ${name}`));
    }
    if (before === 0) return;
    const message = `${name} is taken in an interrupt handler, and held by others while interrupts are on`;
    this.report(message, name, this.usedAt?.get(`${lockClass} ${before}`));
  }

  private remember(task: Task, lock: LockIdentity): void {
    this.clocks.acquire(task, lock);
    if (this.moment === undefined) return;
    this.takenAt ??= new Map();
    const locks = this.takenAt.get(task) ?? new Map<LockIdentity, Moment>();
    this.takenAt.set(task, locks);
    locks.set(lock, this.moment(`takes ${lock.name}`));
  }
}
