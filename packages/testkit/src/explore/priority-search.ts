import { endOfRound } from "./draw-rounds.ts";
import { type PriorityBound, PriorityOdds } from "./priority-odds.ts";
import { PriorityRuns } from "./priority-runs.ts";
import type { Explorable, Search } from "./search.ts";

/**
 * Runs the tasks by random priorities, the highest first, and lowers the priority of whoever runs at `depth` − 1 random
 * steps, below all others and in a fixed order among themselves. One run meets a bug of that depth, that is one that needs so many
 * ordered pairs of steps, with a probability of at least 1/(n·k^(depth−1)) (Burckhardt, Kothari, Musuvathi and Nagarakatte,
 * "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
 *
 * How many tasks and steps there are is what the rounds of runs so far have shown; the first run, which has no change points,
 * only looks.
 */
export class PrioritySearch implements Search {
  readonly abandoned = 0;
  readonly depth: number;
  readonly #runs: number;
  readonly #seed: number;
  readonly #odds: PriorityOdds;
  #before = 0;
  #round: PriorityRuns;

  constructor(runs: number, depth: number, seed: number) {
    this.#runs = runs;
    this.depth = depth;
    this.#seed = seed;
    this.#odds = new PriorityOdds(depth);
    this.#round = this.#begin();
  }

  get executions(): number {
    return this.#before + this.#round.executions;
  }

  get isOver(): boolean {
    return this.executions >= this.#runs;
  }

  runNext(program: Explorable): boolean {
    if (this.isOver) return false;
    if (this.#round.isOver) {
      learnFrom(this.#odds, this.#round);
      this.#before += this.#round.executions;
      this.#round = this.#begin();
    }
    return this.#round.runNext(program);
  }

  /** What the runs so far promise. */
  get bound(): PriorityBound {
    const odds = new PriorityOdds(this.depth, this.#odds.data);
    learnFrom(odds, this.#round);
    return odds.bound;
  }

  #begin(): PriorityRuns {
    const end = endOfRound(this.#before, this.#runs);
    const { range } = this.#odds;
    return new PriorityRuns({ from: this.#before, end, seed: this.#seed, depth: this.depth, range });
  }
}

function learnFrom(odds: PriorityOdds, { executions, tasks, steps }: PriorityRuns): void {
  odds.learn(executions, tasks, steps);
}
