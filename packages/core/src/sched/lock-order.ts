import type { Moment } from "../sanitize/operation.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import { LockIdentity, type Task } from "./task.ts";

/** Classes from this one on share a bit, and are checked each time. */
const SHARED_BIT = 31;

/** The bit of a lock class in `HeldLock.classes`. */
function classBit(lockClass: number): number {
  return 1 << Math.min(lockClass, SHARED_BIT);
}

// Before the first lock there is nothing to remember.
const nothingTaken = new Uint8Array(0);
const nothingKnown = new Int32Array(0);

/**
 * Learns in which order locks are taken and reports the first pair taken both ways round (lockdep). Locks are
 * compared by class, that is by name: all mmap locks are one class. `order` tells instances of one class apart where
 * taking two of them is allowed (the parent's mmap lock before the child's, in fork).
 */
export class LockOrder {
  // Private to TypeScript only: see `NopageCall`.
  private readonly classes = new Map<string, number>();
  private readonly names: string[] = [];
  /** For each class, a row with a 1 for every class that was taken while it was held. */
  private taken = nothingTaken;
  private width = 0;
  /** For each class, the bits of the classes that it was taken under before: nothing is left to check for those. */
  private knownOuter = nothingKnown;
  private readonly violations: ViolationSink;
  private reported: Set<string> | undefined = undefined;
  enabled = true;

  /** @param scrapped one that nobody uses any more, whose memory is cleared and taken over */
  constructor(violations: ViolationSink, scrapped?: LockOrder) {
    this.violations = violations;
    if (scrapped === undefined) return;
    this.taken = scrapped.taken.fill(0);
    this.knownOuter = scrapped.knownOuter.fill(0);
    this.width = scrapped.width;
  }

  /** Makes the identity of a new lock; `order` is its number in the machine. */
  identify(name: string, order: number): LockIdentity {
    const lockClass = this.classOf(name);
    return new LockIdentity(name, order, lockClass, classBit(lockClass));
  }

  /** Notes that `task` takes a lock while it holds what it holds. */
  acquire(task: Task, lock: LockIdentity): void {
    const { innermost } = task;
    if (innermost.checkedAbove !== lock) this.check(task, lock);
    task.innermost = innermost.hold(lock);
  }

  /** Notes that `task` got a lock that it would not have waited for: that can close no circle of waiters. */
  acquireTried(task: Task, lock: LockIdentity): void {
    task.innermost = task.innermost.hold(lock);
  }

  /** Notes that `task` gives a lock back, in whatever order. */
  release(task: Task, lock: LockIdentity): void {
    const { innermost } = task;
    if (innermost.lock === lock && innermost.below !== undefined) task.innermost = innermost.below;
    else this.releaseBelow(task, lock);
  }

  /** Gives back a lock that was not taken last: what lies above it moves down a place. */
  private releaseBelow(task: Task, lock: LockIdentity): void {
    const { lock: last, below } = task.innermost;
    if (below === undefined || last === undefined) return;
    task.innermost = below;
    if (below.lock === lock && below.below !== undefined) task.innermost = below.below;
    else this.releaseBelow(task, lock);
    task.innermost = task.innermost.hold(last);
  }

  /** `acquire` for one of several readers. */
  acquireShared(task: Task, lock: LockIdentity): void {
    this.acquire(task, lock);
  }

  /** `acquireTried` for one of several readers. */
  acquireSharedTried(task: Task, lock: LockIdentity): void {
    this.acquireTried(task, lock);
  }

  /** `release` for one of several readers. */
  releaseShared(task: Task, lock: LockIdentity): void {
    this.release(task, lock);
  }

  /** Notes that the writer goes on as a reader: other readers come after it from now on. */
  downgrade(_task: Task, _lock: LockIdentity): void {}

  /** Where `task` took a lock that it holds; remembered on a machine with all sanitizers only. */
  takenBy(_task: Task, _lock: LockIdentity): Moment | undefined {
    return undefined;
  }

  /** Two classes, by number, are taken inside one another for the first time. */
  protected learns(_outer: number, _inner: number): void {}

  /** Where that was; remembered on a machine with all sanitizers only. */
  protected learntAt(_outer: number, _inner: number): Moment | undefined {
    return undefined;
  }

  /** A pair of classes, by number, in words. */
  protected describePair(outer: number, inner: number): string {
    return `takes ${this.names[inner]} while it holds ${this.names[outer]}`;
  }

  private classOf(name: string): number {
    let lockClass = this.classes.get(name);
    if (lockClass === undefined) {
      lockClass = this.names.length;
      this.classes.set(name, lockClass);
      this.names.push(name);
      if (this.names.length > this.width) this.widen();
    }
    return lockClass;
  }

  /** Looks whether a lock may be taken above those that the task holds, and remembers that it was looked at. */
  private check(task: Task, lock: LockIdentity): void {
    if (!this.enabled) return;
    const { innermost } = task;
    if ((innermost.classes & ~this.knownOuter[lock.lockClass]) !== 0) {
      for (const outer of task.held) this.note(task, outer, lock);
    }
    innermost.checkedAbove = lock;
  }

  private note(task: Task, outer: LockIdentity, inner: LockIdentity): void {
    if (outer.lockClass === inner.lockClass) {
      if (outer === inner || outer.order >= inner.order) {
        const earlier = this.takenBy(task, outer);
        this.report(
          `${task.name} takes ${inner.name} while it already holds ${outer.name}`,
          inner.name,
          earlier,
        );
      }
      return;
    }
    const place = outer.lockClass * this.width + inner.lockClass;
    if (this.taken[place] === 1) return;
    const back = this.wayBack(inner.lockClass, outer.lockClass);
    if (back !== undefined) {
      this.report(
        `${task.name} takes ${inner.name} while it holds ${outer.name}; elsewhere ${outer.name} is taken under ${inner.name}`,
        `${outer.name} and ${inner.name}`,
        this.learntAt(inner.lockClass, back),
      );
    }
    this.taken[place] = 1;
    this.learns(outer.lockClass, inner.lockClass);
    if (outer.lockClass < SHARED_BIT) this.knownOuter[inner.lockClass] |= outer.classBit;
  }

  /** The first step on a way from one class to another: what was taken while `from` was held and leads to `to`. */
  private wayBack(from: number, to: number): number | undefined {
    for (let next = 0; next < this.names.length; next++) {
      if (this.taken[from * this.width + next] === 1 && this.leads(next, to, new Set([from]))) return next;
    }
    return undefined;
  }

  /** Whether `to` was ever taken, directly or through others, while `from` was held. */
  private leads(from: number, to: number, seen: Set<number>): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    for (let next = 0; next < this.names.length; next++) {
      if (this.taken[from * this.width + next] === 1 && this.leads(next, to, seen)) return true;
    }
    return false;
  }

  private widen(): void {
    const width = Math.max(32, this.width * 2);
    const taken = new Uint8Array(width * width);
    for (let row = 0; row < this.width; row++) {
      taken.set(this.taken.subarray(row * this.width, (row + 1) * this.width), row * width);
    }
    const knownOuter = new Int32Array(width);
    knownOuter.set(this.knownOuter);
    this.knownOuter = knownOuter;
    this.taken = taken;
    this.width = width;
  }

  protected report(message: string, object: string, earlier: Moment | undefined): void {
    this.reported ??= new Set();
    if (this.reported.has(message)) return;
    this.reported.add(message);
    this.violations.report("lock-order", message, { object, earlier });
  }
}
