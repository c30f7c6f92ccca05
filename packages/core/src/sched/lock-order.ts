import type { ViolationSink } from "../sanitize/violation.ts";
import { LockIdentity, type Task } from "./task.ts";

/** Classes from this one on share a bit, and are checked each time. */
const SHARED_BIT = 31;

/** The bit of a lock class in `HeldLock.classes`. */
function classBit(lockClass: number): number {
  return 1 << Math.min(lockClass, SHARED_BIT);
}

/**
 * Learns in which order locks are taken and reports the first pair taken both ways round (lockdep). Locks are
 * compared by class, that is by name: all mmap locks are one class. `order` tells instances of one class apart where
 * taking two of them is allowed (the parent's mmap lock before the child's, in fork).
 */
export class LockOrder {
  readonly #classes = new Map<string, number>();
  readonly #names: string[] = [];
  /** For each class, a row with a 1 for every class that was taken while it was held. */
  #taken = new Uint8Array(0);
  #width = 0;
  /** For each class, the bits of the classes that it was taken under before: nothing is left to check for those. */
  #knownOuter = new Int32Array(0);
  readonly #violations: ViolationSink;
  readonly #reported = new Set<string>();
  enabled = true;

  constructor(violations: ViolationSink) {
    this.#violations = violations;
  }

  /** Makes the identity of a new lock; `order` is its number in the machine. */
  identify(name: string, order: number): LockIdentity {
    const lockClass = this.#classOf(name);
    return new LockIdentity(name, order, lockClass, classBit(lockClass));
  }

  /** Notes that `task` takes a lock while it holds what it holds. */
  acquire(task: Task, lock: LockIdentity): void {
    if ((task.innermost.classes & ~this.#knownOuter[lock.lockClass]) !== 0 && this.enabled) {
      for (const outer of task.held) this.#note(task, outer, lock);
    }
    this.acquireTried(task, lock);
  }

  /** Notes that `task` got a lock that it would not have waited for: that can close no circle of waiters. */
  acquireTried(task: Task, lock: LockIdentity): void {
    const { innermost } = task;
    const place = innermost.above;
    place.lock = lock;
    place.classes = innermost.classes | lock.classBit;
    task.innermost = place;
  }

  /** Notes that `task` gives a lock back, in whatever order. */
  release(task: Task, lock: LockIdentity): void {
    const { lock: last, below } = task.innermost;
    if (below === undefined) return;
    task.innermost = below;
    if (last === lock || last === undefined) return;
    // Not the last one taken: what lies above it moves down a place.
    this.release(task, lock);
    this.acquireTried(task, last);
  }

  #classOf(name: string): number {
    let lockClass = this.#classes.get(name);
    if (lockClass === undefined) {
      lockClass = this.#names.length;
      this.#classes.set(name, lockClass);
      this.#names.push(name);
      if (this.#names.length > this.#width) this.#widen();
    }
    return lockClass;
  }

  #note(task: Task, outer: LockIdentity, inner: LockIdentity): void {
    if (outer.lockClass === inner.lockClass) {
      if (outer === inner || outer.order >= inner.order) {
        this.#report(`${task.name} takes ${inner.name} while it already holds ${outer.name}`);
      }
      return;
    }
    const place = outer.lockClass * this.#width + inner.lockClass;
    if (this.#taken[place] === 1) return;
    if (this.#leads(inner.lockClass, outer.lockClass, new Set())) {
      this.#report(
        `${task.name} takes ${inner.name} while it holds ${outer.name}; elsewhere ${outer.name} is taken under ${inner.name}`,
      );
    }
    this.#taken[place] = 1;
    if (outer.lockClass < SHARED_BIT) this.#knownOuter[inner.lockClass] |= outer.classBit;
  }

  /** Whether `to` was ever taken, directly or through others, while `from` was held. */
  #leads(from: number, to: number, seen: Set<number>): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    for (let next = 0; next < this.#names.length; next++) {
      if (this.#taken[from * this.#width + next] === 1 && this.#leads(next, to, seen)) return true;
    }
    return false;
  }

  #widen(): void {
    const width = Math.max(16, this.#width * 2);
    const taken = new Uint8Array(width * width);
    for (let row = 0; row < this.#width; row++) {
      taken.set(this.#taken.subarray(row * this.#width, (row + 1) * this.#width), row * width);
    }
    const knownOuter = new Int32Array(width);
    knownOuter.set(this.#knownOuter);
    this.#knownOuter = knownOuter;
    this.#taken = taken;
    this.#width = width;
  }

  #report(message: string): void {
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#violations.report("lock-order", message);
  }
}
