import { ABANDON, type Explorable, type Moment, type Pending, type RunEnd } from "../search.ts";
import {
  PlainAccess,
  type PlainBuilder,
  PlainLock,
  type PlainPoint,
  type PlainProgram,
  type PlainThread,
  SharedCounter,
  SharedVariable,
} from "./plain-program.ts";

const NONE: readonly number[] = [];

/** What a run of a plain program came to. */
export interface PlainOutcome {
  /** What the program said of the final state; undefined when it deadlocked or threw. */
  readonly state: unknown;
  /** Why it failed: what was thrown, or a deadlock. */
  readonly failure: string | undefined;
}

/** A thread that waits at its next step. */
class WaitingThread {
  readonly task: number;
  readonly body: PlainThread;
  /** The step it waits at; undefined when it has ended. */
  point: PlainPoint | undefined = undefined;
  pending: Pending | undefined = undefined;
  /** What it threw, which ended it. */
  failure: string | undefined = undefined;

  constructor(task: number, body: PlainThread) {
    this.task = task;
    this.body = body;
  }

  /** Goes on to the next step. */
  advance(): void {
    this.point = this.#next();
    this.pending = this.point === undefined ? undefined : this.#announce(this.point);
  }

  #next(): PlainPoint | undefined {
    try {
      const next = this.body.next();
      return next.done === true ? undefined : next.value;
    } catch (thrown) {
      this.failure = inWords(thrown);
      return undefined;
    }
  }

  get canGoOn(): boolean {
    return this.point !== undefined && (this.point.isPossible?.() ?? true);
  }

  #announce({ object, access, isPossible }: PlainPoint): Pending {
    const { task } = this;
    return {
      task,
      objects: [object],
      accesses: [typeof access === "number" ? access : access()],
      mayBlock: isPossible !== undefined,
      isConditional: typeof access !== "number",
    };
  }

  /** What it announces now: what is conditional is found out anew. */
  announced(): Pending {
    const { point, pending } = this;
    if (point === undefined || pending === undefined) throw new Error("the thread has ended");
    return pending.isConditional ? this.#announce(point) : pending;
  }
}

/** A plain program as something to explore; the outcome of the last run that went to the end stands in it. */
export class PlainRun implements Explorable {
  outcome: PlainOutcome = { state: undefined, failure: undefined };
  /** The threads of the last run in the order of their steps. */
  schedule: number[] = [];
  readonly #program: PlainProgram;

  constructor(program: PlainProgram) {
    this.#program = program;
  }

  run(choose: (moment: Moment) => number): RunEnd | undefined {
    const threads: WaitingThread[] = [];
    const givenBack: number[] = [];
    const judge = this.#program(builderOf(threads, givenBack));
    const noted = () => ({
      notedObjects: [...givenBack],
      notedAccesses: givenBack.map(() => PlainAccess.unlock),
    });
    for (const thread of threads) thread.advance();
    this.schedule = [];
    for (;;) {
      const enabled = threads.filter(({ canGoOn }) => canGoOn).map((thread) => thread.announced());
      if (enabled.length === 0) break;
      const task = choose({ enabled, ...noted(), caused: NONE, hasTimeMoved: false });
      if (task === ABANDON) return undefined;
      this.schedule.push(task);
      givenBack.length = 0;
      (threads[task] as WaitingThread).advance();
    }
    const waiting = threads.filter(({ point }) => point !== undefined).map((thread) => thread.announced());
    const thrown = threads.find(({ failure }) => failure !== undefined)?.failure;
    if (thrown !== undefined) this.outcome = { state: undefined, failure: thrown };
    else this.outcome = waiting.length > 0 ? deadlock(waiting) : judged(judge);
    return { ...noted(), waiting };
  }
}

function judged(judge: () => unknown): PlainOutcome {
  try {
    return { state: judge(), failure: undefined };
  } catch (thrown) {
    return { state: undefined, failure: inWords(thrown) };
  }
}

function deadlock(waiting: readonly Pending[]): PlainOutcome {
  const who = waiting.map(({ task }) => `thread ${task}`).join(" and ");
  return { state: undefined, failure: `deadlock: ${who} wait for each other` };
}

function inWords(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function builderOf(threads: WaitingThread[], givenBack: number[]): PlainBuilder {
  let objects = 0;
  return {
    variable: (initial) => new SharedVariable(objects++, initial),
    counter: () => new SharedCounter(objects++),
    lock: () => new PlainLock(objects++, givenBack),
    thread: (body) => {
      threads.push(new WaitingThread(threads.length, body()));
    },
  };
}
