import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Gate } from "../contract/gate.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Clock, Ordering } from "../sanitize/vector-clocks.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import type { WaitMode } from "../sched/task.ts";
import { WaitQueue } from "../sched/wait-queue.ts";

/** The core's gate: a count of closings, a sequence number, and the queue of those who wait. */
export class CountingGate implements Gate, Ordering {
  /** For the clocks. */
  released: Clock | undefined = undefined;
  readonly name: string;
  /** Identity for the scheduler: looks at the gate are reads of it, changes are writes. */
  readonly index: number;
  // Private to TypeScript only: see `NopageCall`.
  private changes = 0;
  /** Kept beside the count, because every fault reads it. */
  private current: "open" | "closed" | "gone" = "open";
  /** Told of each look that is not announced; undefined where nobody interleaves. */
  private readonly watcher: Scheduler | undefined;
  #closers = 0;
  readonly #sched: Scheduler;
  readonly #log: EventLog;
  readonly #queue: WaitQueue;

  constructor(sched: Scheduler, log: EventLog, name: string) {
    this.#sched = sched;
    this.watcher = sched.chooser.interleaves ? sched : undefined;
    this.#log = log;
    this.name = name;
    this.index = sched.nextObject();
    this.#queue = new WaitQueue(sched, `gate ${name}`);
  }

  get state(): "open" | "closed" | "gone" {
    this.watcher?.note(ObjectKind.gate, this.index, Access.read);
    return this.current;
  }

  get sequence(): number {
    this.watcher?.note(ObjectKind.gate, this.index, Access.read);
    return this.changes;
  }

  *close(): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.gate, this.index, Access.write);
    this.#closers++;
    this.#changeTo("closed");
    this.#log.record("gate-close", this.index, this.#closers);
  }

  *open(): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.gate, this.index, Access.write);
    if (this.#closers === 0) throw new Error(`gate ${this.name} is opened more often than it was closed`);
    this.#closers--;
    this.#changeTo(this.#closers === 0 ? "open" : "closed");
    this.#log.record("gate-open", this.index, this.#closers);
    if (this.#closers === 0) yield* this.#queue.wakeAll();
  }

  *remove(): Atomic<void> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.gate, this.index, Access.write);
    this.#changeTo("gone");
    this.#log.record("gate-remove", this.index);
    yield* this.#queue.wakeAll();
  }

  *look(): Atomic<"open" | "closed" | "gone"> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.gate, this.index, Access.read);
    this.#sched.clocks?.acquire(this.#sched.current, this);
    return this.current;
  }

  *waitUntilOpen(mode: WaitMode): Sleepable<number> {
    return yield* this.#queue.waitUntil(() => this.#isNotClosed(), mode);
  }

  #changeTo(state: "open" | "closed" | "gone"): void {
    this.#sched.clocks?.release(this.#sched.current, this);
    this.changes++;
    if (this.current !== "gone") this.current = state;
  }

  *#isNotClosed(): Atomic<boolean> {
    return (yield* this.look()) !== "closed";
  }
}
