import { ABANDON, type Explorable, type Moment, NotTheSameProgram, type RunEnd } from "../search.ts";
import { Step } from "../step.ts";
import {
  type PlainBuilder,
  PlainLock,
  type PlainPoint,
  PlainPoints,
  type PlainProgram,
  type PlainThread,
  SharedCounter,
  SharedVariable,
  STAR,
  StepTally,
} from "./plain-program.ts";

const NOBODY: readonly number[] = [];
const nobodyWaits: readonly Step[] = [];
/** What is answered for no task. */
const NO_TASK = -1;

/** What a run of a plain program came to. */
export interface PlainOutcome {
  /** What the program said of the final state; undefined when it deadlocked or threw. */
  readonly state: unknown;
  /** Why it failed: what was thrown, or a deadlock. */
  readonly failure: string | undefined;
  /** The threads in the order of their steps. */
  readonly schedule: readonly number[];
}

/** A run took more steps than it may: a thread may go round for ever. */
export class TooManySteps extends Error {
  override readonly name = "TooManySteps";
  /** The threads in the order of their steps. */
  readonly schedule: readonly number[];

  constructor(schedule: readonly number[]) {
    super(`a run took ${schedule.length} steps and was not over, the last by thread ${schedule.at(-1)}`);
    this.schedule = schedule;
  }
}

/** A thread that waits at its next step. */
class WaitingThread {
  readonly task: number;
  body: PlainThread;
  /** The step it waits at; undefined when it has ended. */
  point: PlainPoint | undefined = undefined;
  /** What it threw, which ended it. */
  failure: string | undefined = undefined;
  /** Steps that it has made and not taken. */
  untaken = 0;

  constructor(task: number, body: PlainThread) {
    this.task = task;
    this.body = body;
  }

  /** Begins anew, in another run. */
  begin(body: PlainThread): void {
    this.body = body;
    this.point = undefined;
    this.failure = undefined;
    this.untaken = 0;
  }

  /** Goes on to the next step. */
  advance(tally: StepTally): void {
    const before = tally.untaken;
    try {
      const next = this.body.next();
      this.point = next.done === true ? undefined : stepFrom(next.value);
    } catch (thrown) {
      this.failure = inWords(thrown);
      this.point = undefined;
    }
    this.untaken += tally.untaken - before;
  }

  get canGoOn(): boolean {
    const { point } = this;
    return point !== undefined && (point.isPossible === undefined || point.isPossible());
  }

  /** The step it waits at, as it would be if it were taken now; undefined when the thread has ended. */
  nextStep(locks: "locks" | "no locks"): Step | undefined {
    const { point, task } = this;
    if (point === undefined) return undefined;
    const { objects, accesses, accessesNow, isPossible } = point;
    if (accessesNow !== undefined) {
      return new Step(task, objects, accessesNow(), isPossible !== undefined, true);
    }
    // Whether a lock is given back after it may depend on what the step finds.
    const isConditional = locks === "locks";
    return new Step(
      task,
      objects,
      accesses,
      isPossible !== undefined,
      isConditional,
      undefined,
      objects.length,
    );
  }
}

/** A plain program as something to explore. */
export class PlainRun implements Explorable, Moment {
  /** What the search's last execution came to. */
  outcome: PlainOutcome = { state: undefined, failure: undefined, schedule: [] };
  readonly notedObjects: number[] = [];
  readonly notedAccesses: number[] = [];
  readonly #program: PlainProgram;
  readonly #maxSteps: number;
  readonly #threads: WaitingThread[] = [];
  /** Threads of this run and of runs before, by number. */
  readonly #known: WaitingThread[] = [];
  /** By object, in the order of making. */
  readonly #points: PlainPoints[] = [];
  readonly #schedule: number[] = [];
  /** What was answered last, filled anew each time. */
  readonly #enabled: number[] = [];
  readonly #tally = new StepTally();
  #objects = 0;
  /** Whether the program has locks. */
  #locks: "locks" | "no locks" = "no locks";
  /** Threads below this have ended. */
  #firstLeft = 0;
  /** Whether the threads run. */
  #hasBegun = false;
  #judge: () => unknown = () => undefined;
  /** Its functions need no `this`, as programs take them apart. */
  readonly #builder: PlainBuilder = {
    variable: (initial) => new SharedVariable(this.#pointsOfNext("variable"), initial),
    counter: () => new SharedCounter(this.#pointsOfNext("counter")),
    lock: () => {
      this.#locks = "locks";
      return new PlainLock(this.#pointsOfNext("lock"), this.#note);
    },
    thread: (body) => {
      this.#mustNotHaveBegun("thread");
      const task = this.#threads.length;
      const known = this.#known[task];
      const begun = body();
      if (typeof begun?.next !== "function") {
        throw new TypeError(`thread ${task} is ${String(begun)}; expected a generator, as a function* makes`);
      }
      if (known === undefined) this.#known.push(new WaitingThread(task, begun));
      else known.begin(begun);
      this.#threads.push(this.#known[task] as WaitingThread);
    },
  };

  /** @param maxSteps those of a run, at most */
  constructor(program: PlainProgram, maxSteps = Number.POSITIVE_INFINITY) {
    this.#program = program;
    this.#maxSteps = maxSteps;
  }

  run(choose: (moment: Moment) => number): RunEnd | undefined {
    const threads = this.#threads;
    // Emptied so that they keep their room.
    while (threads.length > 0) threads.pop();
    while (this.#schedule.length > 0) this.#schedule.pop();
    this.#firstLeft = 0;
    this.#objects = 0;
    this.#tally.untaken = 0;
    this.#forgetNoted();
    this.#hasBegun = false;
    this.#judge = this.#program(this.#builder);
    this.#hasBegun = true;
    if (typeof this.#judge !== "function") {
      throw new TypeError(
        `the program answered ${String(this.#judge)}; expected a function for the final state`,
      );
    }
    for (const thread of threads) thread.advance(this.#tally);
    while (this.#canGoOn()) {
      if (this.#schedule.length >= this.#maxSteps) throw new TooManySteps(this.#schedule.slice());
      const task = choose(this);
      if (task === ABANDON) return undefined;
      const thread = threads[task];
      if (thread?.canGoOn !== true) throw new NotTheSameProgram(`thread ${task} cannot go on`);
      this.#schedule.push(task);
      this.#forgetNoted();
      thread.advance(this.#tally);
    }
    const { notedObjects, notedAccesses } = this;
    return { notedObjects, notedAccesses, waiting: this.waiting() };
  }

  keepOutcome(): void {
    this.outcome = this.#judged();
  }

  #judged(): PlainOutcome {
    const schedule = this.#schedule.slice();
    const failure = this.#failure();
    if (failure !== undefined) return { state: undefined, failure, schedule };
    try {
      return { state: this.#judge(), failure, schedule };
    } catch (thrown) {
      return { state: undefined, failure: inWords(thrown), schedule };
    }
  }

  enabled(): readonly number[] {
    const enabled = this.#enabled;
    while (enabled.length > 0) enabled.pop();
    const threads = this.#threads;
    for (let task = this.#firstLeft; task < threads.length; task++) {
      if (threads[task]?.canGoOn) enabled.push(task);
    }
    return enabled;
  }

  enabledAbove(task: number): number {
    const threads = this.#threads;
    for (let above = Math.max(task + 1, this.#firstLeft); above < threads.length; above++) {
      if (threads[above]?.canGoOn) return above;
    }
    return NO_TASK;
  }

  nextStep(task: number): Step | undefined {
    const thread = this.#threads[task];
    return thread?.canGoOn === true ? thread.nextStep(this.#locks) : undefined;
  }

  waiting(): readonly Step[] {
    if (this.#firstLeft === this.#threads.length) return nobodyWaits;
    const waiting: Step[] = [];
    for (const thread of this.#threads) {
      const step = thread.canGoOn ? undefined : thread.nextStep(this.#locks);
      if (step !== undefined) waiting.push(step);
    }
    return waiting;
  }

  isAbout(task: number, object: number, access: number): boolean {
    const point = this.#threads[task]?.point;
    if (point === undefined || point.objects[0] !== object) return false;
    return (point.accessesNow === undefined ? point.accesses : point.accessesNow())[0] === access;
  }

  caused(): readonly number[] {
    return NOBODY;
  }

  hasTimeMoved(): boolean {
    return false;
  }

  /** The last thread's steps are as good as free, and who looks at a plain program wants to see them all. */
  isDownToOne(): boolean {
    return false;
  }

  goOnAlone(): void {
    throw new Error("a plain program has no steps that are not asked for");
  }

  /** What a thread threw, or who waits for whom, or made steps that were never taken; undefined when all have ended well. */
  #failure(): string | undefined {
    let isWaitedFor = false;
    for (const { failure, point } of this.#threads) {
      if (failure !== undefined) return this.#withUntaken(failure);
      if (point !== undefined) isWaitedFor = true;
    }
    if (!isWaitedFor) return this.#untaken();
    const waiting = this.#threads.filter(({ point }) => point !== undefined);
    if (waiting.length === 1) return `deadlock: thread ${waiting[0]?.task} waits for ever`;
    return `deadlock: ${waiting.map(({ task }) => `thread ${task}`).join(" and ")} wait for each other`;
  }

  /** What was thrown may come of a step that was not taken. */
  #withUntaken(failure: string): string {
    const untaken = this.#threads.some((thread) => thread.untaken > 0) ? this.#untaken() : undefined;
    return untaken === undefined || failure.includes(STAR) ? failure : `${failure}; ${untaken}`;
  }

  /** Who has made steps that nobody has taken; undefined where there are none. */
  #untaken(): string | undefined {
    if (this.#tally.untaken <= 0) return undefined;
    const makers = this.#threads.filter(({ untaken }) => untaken > 0);
    const who =
      makers.length === 0 ? "the program" : makers.map(({ task }) => `thread ${task}`).join(" and ");
    return `${who} made a step that was not taken: ${STAR}`;
  }

  #canGoOn(): boolean {
    const threads = this.#threads;
    while (this.#firstLeft < threads.length && threads[this.#firstLeft]?.point === undefined)
      this.#firstLeft++;
    for (let task = this.#firstLeft; task < threads.length; task++) if (threads[task]?.canGoOn) return true;
    return false;
  }

  #pointsOfNext(kind: string): PlainPoints {
    this.#mustNotHaveBegun(kind);
    const object = this.#objects++;
    this.#points[object] ??= new PlainPoints(object, this.#tally);
    return this.#points[object];
  }

  /** What is made by a thread would have another number in another order. */
  #mustNotHaveBegun(kind: string): void {
    if (!this.#hasBegun) return;
    throw new TypeError(`a ${kind} is made by a thread; expected it to be made before any thread runs`);
  }

  readonly #note = (object: number, access: number): void => {
    // One that the step has given back already is free whatever the others do.
    if (this.notedObjects.includes(object)) return;
    this.notedObjects.push(object);
    this.notedAccesses.push(access);
  };

  #forgetNoted(): void {
    if (this.notedObjects.length === 0) return;
    this.notedObjects.length = 0;
    this.notedAccesses.length = 0;
  }
}

/** @throws TypeError for what no variable, counter or lock has made, such as the generator of a step */
function stepFrom(yielded: PlainPoint): PlainPoint {
  if (yielded?.objects !== undefined) return yielded;
  throw new TypeError(`a thread yields what is no step: ${STAR}`);
}

function inWords(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
