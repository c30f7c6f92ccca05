import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Clock, Ordering } from "../sanitize/vector-clocks.ts";
import { Access, ObjectKind } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Task } from "./task.ts";
import { WaitQueue } from "./wait-queue.ts";

/** One read section; the token that ends it. */
export interface SrcuSection {
  readonly task: Task;
}

/**
 * RCU whose readers may sleep (`struct srcu_struct`). Entering and leaving is no step of its own: the caller has
 * announced what it reads inside.
 */
export class Srcu implements Ordering {
  /** For the clocks. */
  released: Clock | undefined = undefined;
  readonly #sched: Scheduler;
  readonly #sections = new Set<SrcuSection>();
  readonly #quiet: WaitQueue;
  readonly #index: number;

  /** @param what what the sections do, for reports of who waits for what */
  constructor(sched: Scheduler, what: string) {
    this.#sched = sched;
    this.#index = sched.nextObject();
    this.#quiet = new WaitQueue(sched, `${what} to end`);
  }

  /** Whether the current task is inside a section, so that it would wait for itself. */
  get isReading(): boolean {
    for (const { task } of this.#sections) if (task === this.#sched.current) return true;
    return false;
  }

  /** `srcu_read_lock`. */
  enter(): SrcuSection {
    const section = { task: this.#sched.running };
    this.#note(Access.countUp);
    this.#sections.add(section);
    return section;
  }

  #note(access: Access): void {
    this.#sched.note(ObjectKind.cell, this.#index, access);
  }

  /** `srcu_read_unlock`. */
  *leave(section: SrcuSection): Atomic<void> {
    this.#note(Access.countUp);
    this.#sections.delete(section);
    this.#sched.clocks?.release(section.task, this);
    if (this.#quiet.length > 0) yield* this.#quiet.wakeAll();
  }

  /** Waits for the sections that were entered before (`synchronize_srcu`). */
  *synchronize(): Sleepable<void> {
    this.#note(Access.read);
    const before = [...this.#sections];
    if (before.length === 0) {
      this.#sched.clocks?.acquire(this.#sched.current, this);
      return;
    }
    yield* this.#quiet.waitUntil(() => {
      this.#note(Access.read);
      return !before.some((section) => this.#sections.has(section));
    }, "uninterruptible");
    this.#sched.clocks?.acquire(this.#sched.current, this);
  }
}
