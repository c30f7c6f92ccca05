import type { ViolationSink } from "../sanitize/violation.ts";
import type { HeldLock, Task } from "./task.ts";

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
  readonly #violations: ViolationSink;
  readonly #reported = new Set<string>();
  enabled = true;

  constructor(violations: ViolationSink) {
    this.#violations = violations;
  }

  /** The class of locks with this name. */
  classOf(name: string): number {
    let lockClass = this.#classes.get(name);
    if (lockClass === undefined) {
      lockClass = this.#names.length;
      this.#classes.set(name, lockClass);
      this.#names.push(name);
      if (this.#names.length > this.#width) this.#widen();
    }
    return lockClass;
  }

  /** Notes that `task` takes a lock while it holds what it holds. */
  acquire(task: Task, lock: HeldLock): void {
    const { held } = task;
    if (this.enabled) {
      for (let index = 0; index < held.length; index++) this.#note(task, held[index] as HeldLock, lock);
    }
    held.push(lock);
  }

  /** Notes that `task` gives a lock back, in whatever order. */
  release(task: Task, lock: HeldLock): void {
    const { held } = task;
    if (held[held.length - 1] === lock) {
      held.pop();
      return;
    }
    const index = held.lastIndexOf(lock);
    if (index >= 0) held.splice(index, 1);
  }

  #note(task: Task, outer: HeldLock, inner: HeldLock): void {
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
    this.#taken = taken;
    this.#width = width;
  }

  #report(message: string): void {
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#violations.report("lock-order", message);
  }
}
