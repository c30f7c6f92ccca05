import type { Point, Sleep } from "../contract/execution.ts";
import type { VirtualNs } from "../contract/units.ts";
import { Moment } from "../sanitize/operation.ts";
import { VectorClocks } from "../sanitize/vector-clocks.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import { WatchedLockOrder } from "../sanitize/watched-lock-order.ts";
import type { Chooser } from "./chooser.ts";
import { LockOrder } from "./lock-order.ts";
import { Access, Allocator, ObjectKind, objectId, POINT, SLEEP } from "./points.ts";
import { type RecordedChoice, recordChoice } from "./recorded-choice.ts";
import { clear } from "./short-list.ts";
import { type Announcer, Task, type TaskOptions } from "./task.ts";

/** How a run ended. */
export interface RunReport {
  /** `finished`: every task that had to end has ended. `deadlock`: nobody can run and no timer is set. */
  readonly status: "finished" | "deadlock" | "step-limit";
  /** The tasks that did not end, each with what it waits for and who has it. */
  readonly waiting: readonly string[];
  /** Scheduling steps taken in this run. */
  readonly steps: number;
}

/** What a scheduler is built from. */
export interface SchedulerOptions {
  readonly cpus: number;
  readonly chooser: Chooser;
  /** Steps after which a run is called hung. */
  readonly stepLimit: number;
  readonly violations: ViolationSink;
  /** Whether what costs time is remembered as well: who comes after whom, and where each lock was taken. */
  readonly sanitizers?: "cheap" | "all";
  /** Whether where each lock was taken is remembered for reports; `full` where left out. */
  readonly reports?: "full" | "brief";
  /** How many events the log has. */
  readonly countEvents?: () => number;
  /** A scheduler that nobody uses any more: the memory of its lock order is taken over, cleared. */
  readonly scrapped?: Scheduler | undefined;
}

/**
 * Runs tasks, one step at a time, in the order that the chooser gives; keeps virtual time.
 *
 * A step is one announced access with the local code after it. The clock moves only when nobody can run, straight to
 * the next timer. Under a chooser that does not interleave, kernel code leaves points out and a step lasts until the
 * task sleeps.
 */
export class Scheduler {
  readonly tasks: Task[] = [];
  readonly chooser: Chooser;
  /** Whether points are to be announced: kernel code tests this before it yields one. Only the scheduler changes it. */
  interleaving: boolean;
  readonly lockOrder: LockOrder;
  /** Virtual nanoseconds since the machine was switched on. */
  now: VirtualNs = 0;
  /** The task that runs at present; undefined between steps. */
  current: Task | undefined = undefined;
  /** Every choice made, when the chooser interleaves and does not say that they need not be recorded. */
  readonly choices: RecordedChoice[] = [];
  /** What the step under way, or the last one, touched besides what it had announced: objects, and how. */
  readonly notedObjects: number[] = [];
  readonly notedAccesses: Access[] = [];
  /** The most page-table and TLB operations that any task did without a preemption point. */
  longestAtomic = 0;
  readonly violations: ViolationSink;
  /** Who comes after whom; undefined where nobody asks. */
  readonly clocks: VectorClocks | undefined;

  readonly #countEvents: () => number;
  readonly #stepLimit: number;
  readonly #isRecording: boolean;
  readonly #enabled: Task[] = [];
  /** By CPU: the task that may not be preempted there. */
  readonly #holder: (Task | undefined)[];
  #last: Task | undefined = undefined;
  #live: Task[] = [];
  #nextObject = 0;
  /** Whether a task is asked what its next step touches. */
  #isAsking = false;
  /** How often a task that goes on alone may yet pass before it announces points again. */
  #mayPass = 0;

  constructor(options: SchedulerOptions) {
    this.chooser = options.chooser;
    const { interleaves, interleavesFrom } = options.chooser;
    this.interleaving = interleaves && interleavesFrom !== "second-task";
    this.violations = options.violations;
    this.#stepLimit = options.stepLimit;
    this.#isRecording = options.chooser.records !== "nothing";
    this.#holder = [];
    for (let cpu = 0; cpu < options.cpus; cpu++) this.#holder.push(undefined);
    const { violations, sanitizers = "cheap", reports = "full", countEvents = () => 0 } = options;
    this.#countEvents = countEvents;
    this.clocks = sanitizers === "all" ? new VectorClocks(() => this.pass()) : undefined;
    this.lockOrder =
      this.clocks === undefined
        ? new LockOrder(violations, options.scrapped?.lockOrder)
        : new WatchedLockOrder(
            violations,
            this.clocks,
            reports === "full" ? (what) => this.moment(what) : undefined,
            options.scrapped?.lockOrder,
          );
  }

  get cpus(): number {
    return this.#holder.length;
  }

  /** What the current task does right now, to be told in a report about something else. */
  moment(what: string, task = this.current): Moment {
    return new Moment(what, task, this.now, this.#countEvents());
  }

  /** Whether every task but one has ended, so that nobody can step in. */
  get isDownToOne(): boolean {
    return this.#live.length === 1;
  }

  /**
   * Where every task but one has ended: the one that is left announces no points until it makes another, as nobody can step in
   * between them. Nothing that it does is noted meanwhile. One that goes round for ever announces them again after a while,
   * so that it meets the step limit.
   */
  goOnAlone(): void {
    if (!this.isDownToOne) return;
    this.interleaving = false;
    this.#mayPass = this.#stepLimit;
  }

  /** Counts what a task without points can do again and again: an operation of a program, a look at a lock or a cell. */
  pass(): void {
    if (this.#mayPass > 0 && --this.#mayPass === 0) this.interleaving = this.chooser.interleaves;
  }

  /** The next number for an object of the scheduler's own kinds (locks, cells, queues). */
  nextObject(): number {
    this.note(ObjectKind.allocator, Allocator.object, Access.write);
    return this.#nextObject++;
  }

  /** Announces the access that the current task makes when it is resumed: `yield sched.at(kind, index, access)`. */
  at(kind: ObjectKind, index: number, access: Access): Point {
    const task = this.current;
    if (task !== undefined) {
      task.announcedObject = objectId(kind, index);
      task.announcedAccess = access;
      clear(task.alsoObjects);
      clear(task.alsoAccesses);
    }
    return POINT;
  }

  /** Announces a step that touches another object as well: `yield sched.also(sched.at(…), kind, index, access)`. */
  also(point: Point, kind: ObjectKind, index: number, access: Access): Point {
    const task = this.current;
    if (task !== undefined) {
      task.alsoObjects.push(objectId(kind, index));
      task.alsoAccesses.push(access);
    }
    return point;
  }

  /**
   * Announces a step that decides by what it finds how it touches it: `yield sched.asFound(announcer)`. The announcer is
   * asked before each choice of who runs, so nothing can change between what it saw and the step.
   */
  asFound(announcer: Announcer): Point {
    const task = this.current;
    if (task !== undefined) {
      task.announcer = announcer;
      this.#ask(announcer);
    }
    return POINT;
  }

  /**
   * Notes that the step under way touches an object that it had not announced: plain functions cannot announce what
   * drivers make them do, such as taking a frame. What a step touched is what was announced when it was chosen and
   * what was noted while it ran; whoever compares two steps looks at both. Between steps nothing is noted, as when the end of
   * a run is judged, or a task is asked what its next step touches.
   */
  note(kind: ObjectKind, index: number, access: Access): void {
    if (!this.interleaving || this.current === undefined || this.#isAsking) return;
    this.notedObjects.push(objectId(kind, index));
    this.notedAccesses.push(access);
  }

  /** Reports a caller that may not sleep, whether or not it would have to this time (`might_sleep`). */
  mightSleep(what: string): void {
    const task = this.current;
    if (task === undefined || (task.spinDepth === 0 && task.rcuDepth === 0 && task.kind !== "irq")) return;
    const why =
      task.kind === "irq"
        ? "in an interrupt handler"
        : `with ${task.held.map((l) => l.name).join(", ") || "an RCU read section"} held`;
    const lock = task.held.at(-1);
    this.violations.report("sleep-in-atomic", `${task.name} may sleep on ${what} ${why}`, {
      object: what,
      earlier: lock === undefined ? undefined : this.lockOrder.takenBy(task, lock),
    });
  }

  /** The task that runs, which must exist: kernel code that needs one is never run at boot. */
  get running(): Task {
    if (this.current === undefined) throw new Error("this kernel code needs a current task");
    return this.current;
  }

  /** Makes a task that starts with its next turn. */
  spawn(options: TaskOptions, body: Generator<Point | Sleep, unknown, void>): Task {
    if (options.kind !== "hardware" && (options.cpu < 0 || options.cpu >= this.cpus)) {
      throw new RangeError(`no CPU ${options.cpu}: the machine has ${this.cpus}`);
    }
    if (this.#live.length > 0) this.interleaving = this.chooser.interleaves;
    this.note(ObjectKind.allocator, Allocator.task, Access.write);
    const task = new Task(this.tasks.length, options, body);
    this.tasks.push(task);
    this.#live.push(task);
    this.clocks?.handOver(this.current, task);
    return task;
  }

  /** Makes a sleeping task able to run (`wake_up_process`). */
  wake(task: Task): void {
    if (task.state !== "sleeping") return;
    // A timer that wakes a task orders nothing.
    if (this.current !== undefined) this.clocks?.handOver(this.current, task);
    task.state = "ready";
    task.wakeAt = Number.POSITIVE_INFINITY;
    task.sleepsOn = "";
  }

  /** Gives a task a signal, which ends a sleep that allows it. */
  signal(task: Task, severity: "pending" | "fatal"): void {
    this.note(ObjectKind.signal, task.id, Access.write);
    if (task.signal !== "fatal") task.signal = severity;
    if (task.state === "sleeping" && task.isInterrupted(task.waitMode)) this.wake(task);
  }

  /** Whether a fatal signal waits for a task (`fatal_signal_pending`). */
  isDying(task: Task): boolean {
    this.note(ObjectKind.signal, task.id, Access.read);
    return task.signal === "fatal";
  }

  /**
   * Puts the current task to sleep until it is woken or `wakeAt` comes; what it waits for is said in words. The
   * caller yields the answer at once.
   */
  sleep(sleepsOn: string, wakeAt: VirtualNs): Sleep {
    const task = this.running;
    if (task.isInterrupted(task.waitMode)) return SLEEP;
    task.state = "sleeping";
    task.sleepsOn = sleepsOn;
    task.wakeAt = wakeAt;
    return SLEEP;
  }

  /** Counts page-table or TLB operations of the current task towards its stretch without a preemption point. */
  countAtomic(operations: number): void {
    const task = this.current;
    if (task !== undefined && task.spinDepth > 0) task.atomicSteps += operations;
  }

  /** A spinlock was given back: the task may be preempted again if it was the last. */
  endAtomicStretch(task: Task): void {
    if (task.atomicSteps > this.longestAtomic) this.longestAtomic = task.atomicSteps;
    task.atomicSteps = 0;
  }

  /** Runs until every task that has to end has ended and the hardware is at rest, or nothing can run. */
  run(): RunReport {
    let steps = 0;
    for (;;) {
      if (!this.#collectEnabled()) {
        if (!this.#advanceClock()) return this.#report(steps);
        continue;
      }
      if (++steps > this.#stepLimit) return { status: "step-limit", waiting: this.#waiting(), steps };
      const task = this.chooser.choose(this.#enabled, this.#last);
      if (this.interleaving && this.#isRecording) this.choices.push(recordChoice(task));
      this.#step(task);
    }
  }

  #step(task: Task): void {
    this.current = task;
    this.#last = task;
    task.blockedOn = undefined;
    task.announcer = undefined;
    clear(this.notedObjects);
    clear(this.notedAccesses);
    try {
      const step = task.body.next();
      if (step.done === true) this.#finish(task, step.value);
      else task.gaveWay = step.value === SLEEP;
    } catch (failure) {
      task.failure = failure;
      this.#finish(task, undefined);
    }
    this.current = undefined;
    if (task.cpu >= 0) this.#holdCpu(task);
  }

  /** Keeps a CPU for a task that is in the middle of something that cannot be preempted. */
  #holdCpu(task: Task): void {
    const holder = this.#holder[task.cpu];
    const cannotBePreempted = task.state !== "done" && (task.spinDepth > 0 || task.kind === "irq");
    if (cannotBePreempted) {
      if (holder !== task) {
        task.interrupted = holder;
        this.#holder[task.cpu] = task;
      }
    } else if (holder === task) {
      this.#holder[task.cpu] = task.interrupted;
      task.interrupted = undefined;
    }
  }

  #finish(task: Task, result: unknown): void {
    task.state = "done";
    task.result = result;
    this.#live.splice(this.#live.indexOf(task), 1);
    if (task.holdsLocks || task.spinDepth > 0) {
      const held = task.held.map((lock) => lock.name).join(", ");
      const last = task.held.at(-1);
      this.violations.report("lock-held", `${task.name} ended while it holds ${held}`, {
        object: held,
        earlier: last === undefined ? undefined : this.lockOrder.takenBy(task, last),
        operation: this.moment("ends", task),
      });
    }
  }

  #collectEnabled(): boolean {
    const enabled = this.#enabled;
    clear(enabled);
    for (const task of this.#live) {
      if (task.state === "ready" && this.#canRun(task)) enabled.push(task);
      if (task.announcer !== undefined) this.#announceAnew(task, task.announcer);
    }
    return enabled.length > 0;
  }

  /** Lets a task say again what its next step touches. */
  #announceAnew(task: Task, announcer: Announcer): void {
    this.current = task;
    this.#ask(announcer);
    this.current = undefined;
  }

  /** What somebody looks at to say what the next step touches is no part of the step under way. */
  #ask(announcer: Announcer): void {
    this.#isAsking = true;
    announcer.announce();
    this.#isAsking = false;
  }

  #canRun(task: Task): boolean {
    if (task.blockedOn !== undefined && !task.blockedOn.canTake(task)) return false;
    if (task.cpu < 0) return true;
    const holder = this.#holder[task.cpu];
    if (holder === undefined || holder === task) return true;
    return task.kind === "irq" && holder.kind !== "irq" && holder.irqsOff === 0;
  }

  /** Moves the clock to the next timer; false when no timer is set. */
  #advanceClock(): boolean {
    let next = Number.POSITIVE_INFINITY;
    for (const task of this.#live) {
      if (task.state === "sleeping" && task.wakeAt < next) next = task.wakeAt;
    }
    if (next === Number.POSITIVE_INFINITY) return false;
    if (next > this.now) this.now = next;
    for (const task of this.#live) {
      if (task.state === "sleeping" && task.wakeAt <= this.now) this.wake(task);
    }
    return true;
  }

  #report(steps: number): RunReport {
    const stuck = this.#live.filter((task) => !task.isDaemon || task.state === "ready");
    return { status: stuck.length === 0 ? "finished" : "deadlock", waiting: this.#waiting(), steps };
  }

  #waiting(): readonly string[] {
    return this.#live
      .filter((task) => !task.isDaemon || task.state === "ready")
      .map((task) => {
        if (task.state === "sleeping") return `${task.name} sleeps on ${task.sleepsOn}`;
        const lock = task.blockedOn;
        if (lock === undefined) return `${task.name} can run`;
        const holders = lock.holders().map((holder) => holder.name);
        return `${task.name} waits for ${lock.name}, held by ${holders.join(" and ") || "nobody"}`;
      });
  }
}
