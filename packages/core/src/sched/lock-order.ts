import type { ViolationSink } from "../sanitize/violation.ts";
import type { HeldLock, Task } from "./task.ts";

/**
 * Learns in which order locks are taken and reports the first pair taken both ways round (lockdep). Locks are
 * compared by class, that is by name: all mmap locks are one class. `order` tells instances of one class apart where
 * taking two of them is allowed (the parent's mmap lock before the child's, in fork).
 */
export class LockOrder {
  /** For each class, the classes that were taken while it was held. */
  readonly #taken = new Map<string, Set<string>>();
  readonly #violations: ViolationSink;
  readonly #reported = new Set<string>();
  enabled = true;

  constructor(violations: ViolationSink) {
    this.#violations = violations;
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
    if (outer.name === inner.name) {
      if (outer === inner || outer.order >= inner.order) {
        this.#report(`${task.name} takes ${inner.name} while it already holds ${outer.name}`);
      }
      return;
    }
    let after = this.#taken.get(outer.name);
    if (after === undefined) {
      after = new Set();
      this.#taken.set(outer.name, after);
    }
    if (after.has(inner.name)) return;
    if (this.#leads(inner.name, outer.name)) {
      this.#report(
        `${task.name} takes ${inner.name} while it holds ${outer.name}; elsewhere ${outer.name} is taken under ${inner.name}`,
      );
    }
    after.add(inner.name);
  }

  /** Whether `to` was ever taken, directly or through others, while `from` was held. */
  #leads(from: string, to: string, seen: Set<string> = new Set()): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    for (const next of this.#taken.get(from) ?? []) if (this.#leads(next, to, seen)) return true;
    return false;
  }

  #report(message: string): void {
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#violations.report("lock-order", message);
  }
}
