/** What a search by priorities promises. */
export interface PriorityBound {
  /** Tasks, as far as were seen, and the steps among which change points are drawn, which no run has gone beyond: n and k. */
  readonly tasks: number;
  readonly steps: number;
  /** Runs whose change points were drawn among so many steps. */
  readonly runs: number;
  /** The least probability with which these runs have met an order of `depth` constraints that breaks the program. */
  readonly probability: number;
}

/** What runs by priorities have shown so far, as plain data. */
export interface PriorityOddsData {
  readonly tasks: number;
  readonly range: number;
  readonly runs: number;
}

/**
 * What runs by priorities have shown, and promise. The bound holds for runs whose change points could have been any step of a
 * failing run. So when a run is longer than all before, those before it do not count any more: for a failure that needs a
 * change point beyond what they drew from they promise nothing. How many tasks there are changes nothing in how a run is
 * drawn, so more tasks weaken what all runs promise. Without change points, at depth 1, all runs count.
 *
 * Where lengths differ at all, points are drawn from an eighth more steps than were seen, so that the count does not begin anew
 * with every run that is a little longer.
 */
export class PriorityOdds {
  readonly #depth: number;
  #tasks: number;
  #range: number;
  #runs: number;

  constructor(depth: number, { tasks, range, runs }: PriorityOddsData = { tasks: 0, range: 0, runs: 0 }) {
    this.#depth = depth;
    this.#tasks = tasks;
    this.#range = range;
    this.#runs = runs;
  }

  /** The steps among which change points are to be drawn next; 0 when nothing is known. */
  get range(): number {
    return this.#range;
  }

  /** So many runs were drawn by the present range; the most tasks and steps of any are these. */
  learn(runs: number, tasks: number, steps: number): void {
    this.#tasks = Math.max(tasks, this.#tasks);
    this.#runs += runs;
    if (steps <= this.#range) return;
    this.#range = this.#range === 0 ? steps : steps + Math.floor(steps / 8);
    if (this.#depth > 1) this.#runs = 0;
  }

  /** What the runs so far promise. */
  get bound(): PriorityBound {
    const [tasks, steps, runs] = [this.#tasks, this.#range, this.#runs];
    const once = tasks === 0 ? 0 : 1 / (tasks * steps ** (this.#depth - 1));
    return { tasks, steps, runs, probability: 1 - (1 - once) ** runs };
  }

  get data(): PriorityOddsData {
    return { tasks: this.#tasks, range: this.#range, runs: this.#runs };
  }
}
