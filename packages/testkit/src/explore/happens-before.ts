import type { Dependence, Step } from "./step.ts";

/** In a clock: no step of the task. */
const NOTHING = 0;

/**
 * Which steps of a run come before which in every equal run, as vector clocks: entry `t` of a step's clock is one more
 * than the position of the last step of task `t` that comes before it, or is it.
 */
export class HappensBefore {
  readonly steps: Step[] = [];
  readonly #dependence: Dependence;
  /** Tasks that a clock has room for. */
  #width = 4;
  /** Tasks are numbered below this. */
  #tasks = 0;
  /** The clocks of all steps, one after the other, and that of the step which comes next. Plain arrays: small typed ones are dearer to make than to use. */
  #clocks: number[] = [];
  /** By task, the position of its last step, plus one. */
  readonly #lastOf: number[] = [NOTHING, NOTHING, NOTHING, NOTHING];
  /** By position, `#lastOf` of the task before the step: to take the step back. */
  readonly #previousOf: number[] = [];
  /** Positions at which time had moved. */
  readonly #barriers: number[] = [];
  /** Positions of what gave way to the step that is being added. */
  readonly #handedOver: number[] = [];

  constructor(dependence: Dependence) {
    this.#dependence = dependence;
  }

  /** Takes back all steps from a position on. */
  truncate(length: number): void {
    while (this.steps.length > length) {
      const step = this.steps.pop() as Step;
      this.#lastOf[step.task] = this.#previousOf.pop() as number;
    }
    while ((this.#barriers.at(-1) ?? 0) > length) this.#barriers.pop();
  }

  /** Time has moved: whatever comes now comes after all that was. */
  markBarrier(): void {
    this.#barriers.push(this.steps.length);
  }

  /** The position after the last step of a task; 0 where it has taken none. */
  afterLastOf(task: number): number {
    return this.#lastOf[task] ?? NOTHING;
  }

  /** Whether whatever a task does next comes after all steps of all tasks. */
  isAfterAll(task: number): boolean {
    const own = this.afterLastOf(task);
    if (own === NOTHING) return this.steps.length === 0;
    const clock = (own - 1) * this.#width;
    for (let one = 0; one < this.#tasks; one++) {
      if ((this.#clocks[clock + one] as number) < (this.#lastOf[one] as number)) return false;
    }
    return true;
  }

  /** Adds a step; the positions of the steps that it is in a race with, latest first, are added to `races`. */
  add(step: Step, races: number[]): void {
    this.#clockOf(step, races);
    const at = this.steps.length;
    this.#clocks[at * this.#width + step.task] = at + 1;
    this.steps.push(step);
    this.#previousOf.push(this.#lastOf[step.task] as number);
    this.#lastOf[step.task] = at + 1;
  }

  /** The races of a step that was never taken, because its task was still waiting for it when the run ended. */
  findRacesOf(waiting: Step, races: number[]): void {
    this.#clockOf(waiting, races);
  }

  /** The steps after position `at` that do not come after the one there. */
  notAfter(at: number): Step[] {
    const { task } = this.steps[at] as Step;
    let kept: Step[] | undefined;
    for (let position = at + 1; position < this.steps.length; position++) {
      if ((this.#clocks[position * this.#width + task] as number) > at) continue;
      const step = this.steps[position] as Step;
      // An array that grows from nothing takes room for many.
      if (kept === undefined) kept = [step];
      else kept.push(step);
    }
    return kept ?? [];
  }

  /** The position after the last step that does not come after the one at `at`, which stands behind it; 0 where there is none. */
  endOfNotAfter(at: number): number {
    const { task } = this.steps[at] as Step;
    const width = this.#width;
    for (let position = this.steps.length - 1; position > at; position--) {
      if ((this.#clocks[position * width + task] as number) <= at) return position + 1;
    }
    return 0;
  }

  /** How many of some steps of the run, in its order, come before one; all where that was never taken. */
  countBefore(steps: readonly Step[], later: Step): number {
    const at = this.steps.lastIndexOf(later);
    if (at < 0) return steps.length;
    let count = steps.length;
    for (let position = this.steps.length - 1; position > at && count > 0; position--) {
      if (this.steps[position] === steps[count - 1]) count--;
    }
    return count;
  }

  /** A text for the run's trace: equal for runs that differ in the order of independent steps only. */
  traceHash(): string {
    const counts: number[] = [];
    // By position, how many steps its task has taken up to there.
    const ordinals = this.steps.map(({ task }) => {
      counts[task] = (counts[task] ?? 0) + 1;
      return counts[task];
    });
    const parts = this.steps.map((step, at) => {
      const clock = this.#clocks.slice(at * this.#width, (at + 1) * this.#width);
      const known = clock.map((entry) => (entry === NOTHING ? 0 : (ordinals[entry - 1] as number)));
      while (known.at(-1) === 0) known.pop();
      return `${step.task}:${step.objects.join(",")}:${known.join(",")}`;
    });
    return parts.sort().join("|");
  }

  /**
   * Works out the clock of a step that comes next. A step that could not have been taken before another one gave way is
   * ordered after it, but that hides no race with what made it wait. It does hide races over what the step touches
   * besides: while it had to wait it could not have touched that.
   */
  #clockOf(step: Step, races: number[]): void {
    if (step.task >= this.#width) this.#widen(step.task);
    if (step.task >= this.#tasks) this.#tasks = step.task + 1;
    const dependence = this.#dependence;
    const { steps } = this;
    const { task } = step;
    const clocks = this.#clocks;
    const clock = steps.length * this.#width;
    const own = this.#lastOf[task] as number;
    for (let entry = clock; entry < clock + this.#width; entry++) clocks[entry] = NOTHING;
    if (own !== NOTHING) this.#joinAt(own - 1);
    if (step.cause !== undefined) this.#joinAt(steps.lastIndexOf(step.cause));
    const barrier = this.#barriers.at(-1) ?? 0;
    // A step of the task since then has met all clocks already.
    if (own <= barrier) for (let at = barrier - 1; at >= 0; at--) this.#joinAt(at);
    for (let at = steps.length - 1; at >= barrier; at--) {
      const other = steps[at] as Step;
      if (other.task === task || (clocks[clock + other.task] as number) > at) continue;
      if (!dependence.conflict(other, step)) continue;
      if (step.mayBlock && dependence.isHandOver(other, step)) this.#handedOver.push(at);
      else if (this.#handedOver.length === 0 || this.#couldComeFirst(step, at)) {
        races.push(at);
        this.#joinAt(at);
      }
    }
    for (let at = this.#handedOver.pop(); at !== undefined; at = this.#handedOver.pop()) this.#joinAt(at);
  }

  /**
   * Whether the step that is being added could be taken before the one at `at`: not while another task has what it waits
   * for, and gives that back only after the one at `at`.
   */
  #couldComeFirst(step: Step, at: number): boolean {
    const other = this.steps[at] as Step;
    const isAfterOther = (position: number) =>
      (this.#clocks[position * this.#width + other.task] as number) > at;
    for (const given of this.#handedOver) {
      if (!isAfterOther(given)) continue;
      if (!this.#dependence.isOverLock(other, step)) return false;
      const taken = this.#takenBefore(given, step.objects[0] as number);
      if (taken < 0 || !isAfterOther(taken)) return false;
    }
    return true;
  }

  /**
   * Where what a task gives back at `given` was taken, by itself if not by whoever waited for it last; -1 where that was before
   * the run began.
   */
  #takenBefore(given: number, lock: number): number {
    const { task } = this.steps[given] as Step;
    for (let at = given - 1; at >= 0; at--) {
      const step = this.steps[at] as Step;
      if (step.waitsAlone(lock) || (step.task === task && step.takes(lock))) return at;
    }
    return -1;
  }

  /** Lets the step that comes next come after the one at `at`, and after all that comes before that. */
  #joinAt(at: number): void {
    if (at < 0) return;
    const clocks = this.#clocks;
    const tasks = this.#tasks;
    const clock = this.steps.length * this.#width;
    for (let task = 0, from = at * this.#width; task < tasks; task++, from++) {
      const entry = clocks[from] as number;
      if (entry > (clocks[clock + task] as number)) clocks[clock + task] = entry;
    }
  }

  /** Makes room in every clock for a task. */
  #widen(task: number): void {
    const before = this.#width;
    // No more than that: every step copies so many entries.
    const width = task + 1;
    const clocks: number[] = [];
    for (let at = 0; at < this.steps.length; at++) {
      for (let one = 0; one < width; one++) {
        clocks.push(one < before ? (this.#clocks[at * before + one] as number) : NOTHING);
      }
    }
    this.#width = width;
    this.#clocks = clocks;
    while (this.#lastOf.length < width) this.#lastOf.push(NOTHING);
  }
}
