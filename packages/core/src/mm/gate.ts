import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Gate } from "../contract/gate.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Clock, Ordering } from "../sanitize/vector-clocks.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import type { WaitMode } from "../sched/task.ts";
import { WaitQueue } from "../sched/wait-queue.ts";

type GateState = "open" | "closed" | "gone";

/** A gate: with looks that are noted where orders are searched, and with plain fields elsewhere, as every fault reads them. */
export function createGate(sched: Scheduler, log: EventLog, name: string): CountingGate {
  return sched.chooser.interleaves ? new WatchedGate(sched, log, name) : new PlainGate(sched, log, name);
}

/** The core's gate: a count of closings, a sequence number, and the queue of those who wait. */
export abstract class CountingGate implements Gate, Ordering {
  /** For the clocks. */
  released: Clock | undefined = undefined;
  readonly name: string;
  /** Identity for the scheduler: looks at the gate are reads of it, changes are writes. */
  readonly index: number;
  abstract readonly state: GateState;
  abstract readonly sequence: number;
  #closers = 0;
  readonly #sched: Scheduler;
  readonly #log: EventLog;
  readonly #queue: WaitQueue;

  constructor(sched: Scheduler, log: EventLog, name: string) {
    this.#sched = sched;
    this.#log = log;
    this.name = name;
    this.index = sched.nextObject();
    this.#queue = new WaitQueue(sched, `gate ${name}`);
  }

  /** Enters a state that is not left once it is `gone`, and counts the change; announced by the caller. */
  protected abstract enter(state: GateState): void;

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

  *look(): Atomic<GateState> {
    if (this.#sched.interleaving) yield this.#sched.at(ObjectKind.gate, this.index, Access.read);
    this.#sched.clocks?.acquire(this.#sched.current, this);
    return this.state;
  }

  *waitUntilOpen(mode: WaitMode): Sleepable<number> {
    return yield* this.#queue.waitUntil(() => this.#isNotClosed(), mode);
  }

  #changeTo(state: GateState): void {
    this.#sched.clocks?.release(this.#sched.current, this);
    this.enter(state);
  }

  *#isNotClosed(): Atomic<boolean> {
    return (yield* this.look()) !== "closed";
  }
}

class PlainGate extends CountingGate {
  override state: GateState = "open";
  override sequence = 0;

  protected override enter(state: GateState): void {
    this.sequence++;
    if (this.state !== "gone") this.state = state;
  }
}

class WatchedGate extends CountingGate {
  readonly #watcher: Scheduler;
  #state: GateState = "open";
  #sequence = 0;

  constructor(sched: Scheduler, log: EventLog, name: string) {
    super(sched, log, name);
    this.#watcher = sched;
  }

  override get state(): GateState {
    this.#watcher.note(ObjectKind.gate, this.index, Access.read);
    return this.#state;
  }

  override get sequence(): number {
    this.#watcher.note(ObjectKind.gate, this.index, Access.read);
    return this.#sequence;
  }

  protected override enter(state: GateState): void {
    this.#sequence++;
    if (this.#state !== "gone") this.#state = state;
  }
}
