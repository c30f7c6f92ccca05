import type { Dependence, Step } from "./step.ts";

/** A place in a run where all clocks meet, because time moved when nobody could go on. */
const NOTHING = 0;

/**
 * Which steps of a run come before which in every equal run, as vector clocks: entry `t` of a step's clock is one more
 * than the position of the last step of task `t` that comes before it, or is it.
 */
export class HappensBefore {
  readonly steps: Step[] = [];
  readonly #dependence: Dependence;
  /** By position, the clock of the step there; of tasks that came later, nothing. */
  readonly #clocks: number[][] = [];
  /** By task, the position of its last step, plus one. */
  readonly #lastOf: number[] = [];
  /** By position, `#lastOf` of the task before the step: to take the step back. */
  readonly #previousOf: number[] = [];
  /** Positions at which the clock had moved. */
  readonly #barriers: number[] = [];

  constructor(dependence: Dependence) {
    this.#dependence = dependence;
  }

  /** Takes back all steps from a position on. */
  truncate(length: number): void {
    while (this.steps.length > length) {
      const step = this.steps.pop() as Step;
      this.#clocks.pop();
      this.#lastOf[step.task] = this.#previousOf.pop() ?? NOTHING;
    }
    while ((this.#barriers.at(-1) ?? -1) >= length) this.#barriers.pop();
  }

  /** Time has moved: whatever comes now comes after all that was. */
  markBarrier(): void {
    this.#barriers.push(this.steps.length);
  }

  /** Adds a step: the positions of the steps that it is in a race with, latest first. */
  add(step: Step): readonly number[] {
    const races: number[] = [];
    const clock = this.#clockOf(step, races);
    const at = this.steps.length;
    clock[step.task] = at + 1;
    this.steps.push(step);
    this.#clocks.push(clock);
    this.#previousOf.push(this.#lastOf[step.task] ?? NOTHING);
    this.#lastOf[step.task] = at + 1;
    return races;
  }

  /** The races of a step that was never taken, because its task was still waiting for it when the run ended. */
  racesOf(waiting: Step): readonly number[] {
    const races: number[] = [];
    this.#clockOf(waiting, races);
    return races;
  }

  /** The steps after position `at`, before position `end`, that do not come after the one there. */
  notAfter(at: number, end: number): Step[] {
    const { task } = this.steps[at] as Step;
    const kept: Step[] = [];
    for (let position = at + 1; position < end; position++) {
      if ((this.#clocks[position]?.[task] ?? NOTHING) <= at) kept.push(this.steps[position] as Step);
    }
    return kept;
  }

  /** A number for the run's trace: equal for runs that differ in the order of independent steps only. */
  traceHash(): string {
    const parts = this.steps.map((step, at) => {
      const clock = this.#clocks[at] as readonly number[];
      const ordinals = clock.map((entry, task) => this.#ordinal(task, entry ?? NOTHING));
      return `${step.task}:${step.objects.join(",")}:${ordinals.join(",")}`;
    });
    return parts.sort().join("|");
  }

  /** How many steps of a task lie before a position. */
  #ordinal(task: number, end: number): number {
    let count = 0;
    for (let at = 0; at < end; at++) if (this.steps[at]?.task === task) count++;
    return count;
  }

  /**
   * The clock of a step that comes next. A step that could not have been taken before another one gave way is ordered
   * after it, but that hides no race with what made it wait.
   */
  #clockOf(step: Step, races: number[]): number[] {
    const own = this.#lastOf[step.task] ?? NOTHING;
    const clock = own === NOTHING ? [] : [...(this.#clocks[own - 1] as readonly number[])];
    const { cause } = step;
    if (cause !== undefined) this.#joinAt(clock, this.steps.lastIndexOf(cause));
    const barrier = this.#barriers.at(-1) ?? NOTHING;
    for (let at = barrier - 1; at >= 0; at--) this.#joinAt(clock, at);
    const handedOver: number[] = [];
    for (let at = this.steps.length - 1; at >= barrier; at--) {
      const other = this.steps[at] as Step;
      if (other.task === step.task || !this.#dependence.conflict(other, step)) continue;
      if (this.#dependence.isHandOver(other, step)) {
        handedOver.push(at);
        continue;
      }
      if ((clock[other.task] ?? NOTHING) > at) continue;
      races.push(at);
      this.#joinAt(clock, at);
    }
    for (const at of handedOver) this.#joinAt(clock, at);
    return clock;
  }

  #joinAt(clock: number[], at: number): void {
    const other = this.#clocks[at];
    if (other === undefined) return;
    for (let task = 0; task < other.length; task++) {
      const entry = other[task] ?? NOTHING;
      if (entry > (clock[task] ?? NOTHING)) clock[task] = entry;
    }
  }
}
