import { ERESTARTSYS } from "../contract/errno.ts";
import type { Atomic, MayInterleave, Sleepable } from "../contract/execution.ts";
import type { VirtualNs } from "../contract/units.ts";
import type { Clock, Ordering } from "../sanitize/vector-clocks.ts";
import { isGenerator } from "./is-generator.ts";
import { Access, ObjectKind } from "./points.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Task, WaitMode } from "./task.ts";

/**
 * Tasks that sleep until somebody wakes them (`wait_queue_head_t`). Waking is an act of its own: a change of state
 * that forgets to wake loses the wake-up, as in the kernel.
 */
export class WaitQueue implements Ordering {
  /** For the clocks. */
  released: Clock | undefined = undefined;
  readonly name: string;
  readonly #sched: Scheduler;
  readonly #index: number;
  readonly #waiters: Task[] = [];

  constructor(sched: Scheduler, name: string) {
    this.#sched = sched;
    this.name = name;
    this.#index = sched.nextObject();
  }

  /** Tasks that sleep here at present. Whoever looks, as before it wakes them, is in a race with who is about to sleep. */
  get length(): number {
    this.#sched.note(ObjectKind.waitQueue, this.#index, Access.read);
    return this.#waiters.length;
  }

  /**
   * Sleeps until `condition` holds (`wait_event`, `wait_event_killable`, `wait_event_interruptible`). The task queues
   * up before it looks at the condition, so a wake-up between the look and the sleep is not lost. A condition that
   * reads state which changes apart from the wake-up is given as an atomic generator that announces its reads.
   *
   * @returns 0, or -ERESTARTSYS when a signal that the mode allows came first
   */
  *waitUntil(condition: () => MayInterleave<boolean>, mode: WaitMode): Sleepable<number> {
    return yield* this.waitUntilOr(condition, mode, Number.POSITIVE_INFINITY);
  }

  /**
   * Like `waitUntil`, but no longer than until `deadline`, in virtual nanoseconds (`wait_event_timeout`).
   *
   * @returns 0 also when the deadline came first: the caller looks at its condition again
   */
  *waitUntilOr(
    condition: () => MayInterleave<boolean>,
    mode: WaitMode,
    deadline: VirtualNs,
  ): Sleepable<number> {
    const sched = this.#sched;
    const task = sched.running;
    sched.mightSleep(this.name);
    for (;;) {
      if (sched.interleaving) yield sched.at(ObjectKind.waitQueue, this.#index, Access.wait);
      this.#waiters.push(task);
      task.waitMode = mode;
      const answer = condition();
      const holds = isGenerator(answer) ? yield* answer : answer;
      if (mode !== "uninterruptible") sched.note(ObjectKind.signal, task.id, Access.read);
      // Whether it sleeps or leaves depends on whether it has been woken since it queued up.
      sched.note(ObjectKind.waitQueue, this.#index, Access.wait);
      if (holds || task.isInterrupted(mode) || sched.now >= deadline) {
        this.#leave(task);
        sched.clocks?.acquire(task, this);
        return holds || sched.now >= deadline ? 0 : -ERESTARTSYS;
      }
      if (this.#waiters.includes(task)) {
        task.sleepsFor = condition;
        yield sched.sleep(this.name, deadline);
        task.sleepsFor = undefined;
      }
      this.#leave(task);
    }
  }

  /** Wakes everybody (`wake_up_all`). */
  *wakeAll(): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.waitQueue, this.#index, Access.wake);
    this.#wakeThem();
  }

  /** Wakes everybody in the step under way. */
  wakeAllNow(): void {
    this.#sched.note(ObjectKind.waitQueue, this.#index, Access.wake);
    this.#wakeThem();
  }

  #wakeThem(): void {
    this.#sched.clocks?.release(this.#sched.current, this);
    if (this.#waiters.length === 0) return;
    for (const task of this.#waiters) this.#sched.wake(task);
    this.#waiters.length = 0;
  }

  #leave(task: Task): void {
    task.waitMode = "uninterruptible";
    const index = this.#waiters.indexOf(task);
    if (index >= 0) this.#waiters.splice(index, 1);
  }
}
