import { numbersOfRun, type RandomNumbers } from "./random-numbers.ts";
import type { Explorable, Moment, Search } from "./search.ts";

/** Which runs by priorities are made, and how they are drawn. */
export interface PriorityRunsPlan {
  /** The runs `[from, end)` of those that the seed stands for. */
  readonly from: number;
  readonly end: number;
  readonly seed: number;
  readonly depth: number;
  /** The steps of a run among which those are drawn where priorities change; none are where it is 0. */
  readonly range: number;
}

/** Makes runs by random priorities whose change points are all drawn alike: see `PrioritySearch`. */
export class PriorityRuns implements Search {
  executions = 0;
  readonly abandoned = 0;
  /** The most tasks and steps that a run has shown. */
  tasks = 0;
  steps = 0;
  readonly #plan: PriorityRunsPlan;
  /** By task, what it began with or was lowered to. */
  readonly #priorities: number[] = [];

  constructor(plan: PriorityRunsPlan) {
    this.#plan = plan;
  }

  get isOver(): boolean {
    return this.#plan.from + this.executions >= this.#plan.end;
  }

  runNext(program: Explorable): boolean {
    if (this.isOver) return false;
    const { seed, from, depth, range } = this.#plan;
    const numbers = numbersOfRun(seed, from + this.executions);
    // The one drawn first lowers furthest.
    const points = Array.from({ length: range === 0 ? 0 : depth - 1 }, () => numbers.below(range));
    this.#priorities.length = 0;
    let step = 0;
    program.run((moment) => this.#choose(moment, points, step++, numbers));
    program.keepOutcome();
    this.executions++;
    this.tasks = Math.max(this.#priorities.length, this.tasks);
    this.steps = Math.max(step, this.steps);
    return true;
  }

  #choose(moment: Moment, points: readonly number[], step: number, numbers: RandomNumbers): number {
    const enabled = moment.enabled();
    for (const task of enabled) this.#meet(task, numbers);
    for (const [order, point] of points.entries()) {
      if (point === step) this.#priorities[this.#highest(enabled)] = order - points.length;
    }
    return this.#highest(enabled);
  }

  /** Gives every task up to this one a priority of `[0, 1)`, in the order of their numbers. */
  #meet(task: number, numbers: RandomNumbers): void {
    while (this.#priorities.length <= task) this.#priorities.push(numbers.fraction());
  }

  #highest(enabled: readonly number[]): number {
    let [best, highest] = [enabled[0] as number, Number.NEGATIVE_INFINITY];
    for (const task of enabled) {
      const priority = this.#priorities[task] as number;
      if (priority > highest) [best, highest] = [task, priority];
    }
    return best;
  }
}
