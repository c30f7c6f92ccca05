import { RandomNumbers } from "./random-numbers.ts";
import type { Explorable, Moment, Search } from "./search.ts";

/** What a search by priorities promises. */
export interface PriorityBound {
  /** Tasks, and steps of a run, as far as were seen: n and k. */
  readonly tasks: number;
  readonly steps: number;
  /** Runs whose change points were drawn with these numbers. */
  readonly runs: number;
  /** The least probability with which these runs have met an order of `depth` constraints that breaks the program. */
  readonly probability: number;
}

/**
 * Runs the tasks by random priorities, the highest first, and lowers the priority of whoever runs at `depth` − 1 random
 * steps, below all others and in a fixed order among themselves. One run meets a bug of that depth, that is one that needs so many
 * ordered pairs of steps, with a probability of at least 1/(n·k^(depth−1)) (Burckhardt, Kothari, Musuvathi and Nagarakatte,
 * "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
 *
 * How many tasks and steps there are is what the runs so far have shown; the first, which has no change points, only looks.
 */
export class PrioritySearch implements Search {
  executions = 0;
  readonly abandoned = 0;
  readonly depth: number;
  readonly #runs: number;
  readonly #numbers: RandomNumbers;
  #tasks = 0;
  #steps = 0;
  /** Runs since there were last more tasks or steps than before. */
  #runsThatCount = 0;
  /** By task, what it began with or was lowered to. */
  readonly #priorities: number[] = [];

  constructor(runs: number, depth: number, seed: number) {
    this.#runs = runs;
    this.depth = depth;
    this.#numbers = new RandomNumbers(seed);
  }

  runNext(program: Explorable): boolean {
    if (this.executions >= this.#runs) return false;
    const points = this.#drawPoints();
    this.#priorities.length = 0;
    let step = 0;
    program.run((moment) => this.#choose(moment, points, step++));
    program.keepOutcome();
    this.executions++;
    this.#runsThatCount++;
    this.#learn(this.#priorities.length, step);
    return true;
  }

  /** What the runs so far promise. */
  get bound(): PriorityBound {
    const runs = this.#runsThatCount;
    const once = this.#tasks === 0 ? 0 : 1 / (this.#tasks * this.#steps ** (this.depth - 1));
    return { tasks: this.#tasks, steps: this.#steps, runs, probability: 1 - (1 - once) ** runs };
  }

  /** The steps at which priorities change, from 0; the one drawn first lowers furthest. */
  #drawPoints(): readonly number[] {
    if (this.#steps === 0) return [];
    return Array.from({ length: this.depth - 1 }, () => this.#numbers.below(this.#steps));
  }

  #choose(moment: Moment, points: readonly number[], step: number): number {
    const enabled = moment.enabled();
    for (const task of enabled) this.#meet(task);
    for (const [order, point] of points.entries()) {
      if (point === step) this.#priorities[this.#highest(enabled)] = order - points.length;
    }
    return this.#highest(enabled);
  }

  /** Gives every task up to this one a priority of `[0, 1)`, in the order of their numbers. */
  #meet(task: number): void {
    while (this.#priorities.length <= task) this.#priorities.push(this.#numbers.fraction());
  }

  #highest(enabled: readonly number[]): number {
    let [best, highest] = [enabled[0] as number, Number.NEGATIVE_INFINITY];
    for (const task of enabled) {
      const priority = this.#priorities[task] as number;
      if (priority > highest) [best, highest] = [task, priority];
    }
    return best;
  }

  #learn(tasks: number, steps: number): void {
    if (tasks <= this.#tasks && steps <= this.#steps) return;
    this.#tasks = Math.max(tasks, this.#tasks);
    this.#steps = Math.max(steps, this.#steps);
    this.#runsThatCount = 0;
  }
}
