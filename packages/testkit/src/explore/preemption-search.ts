import { ForkSearch } from "./fork-search.ts";
import { FIRST_FORK, type Fork } from "./forks.ts";
import type { Explorable, Search } from "./search.ts";
import type { Dependence } from "./step.ts";

/**
 * Runs every schedule without a preemption, then every one with a single preemption, and so on up to a bound. A preemption
 * is a switch away from a task that could have gone on. Each schedule is run once; most bugs need few preemptions, and
 * the first schedule that is found to fail has the fewest that will do (Musuvathi and Qadeer, "Iterative context
 * bounding", PLDI 2007).
 */
export class PreemptionSearch implements Search {
  readonly abandoned = 0;
  /** By number of preemptions, the distinct traces that schedules with at most so many lead to, as far as they were run. */
  readonly traces: number[] = [0];
  readonly #most: number;
  readonly #dependence: Dependence | undefined;
  readonly #seen = new Set<number>();
  #before = 0;
  /** The schedules with as many preemptions as are looked at now. */
  #level: ForkSearch;

  /**
   * @param most preemptions, at most
   * @param dependence by which traces are counted; they are not when it is left out, which is quicker
   */
  constructor(most: number, dependence?: Dependence) {
    this.#most = most;
    this.#dependence = dependence;
    this.#level = this.#levelOf([FIRST_FORK]);
  }

  get executions(): number {
    return this.#before + this.#level.executions;
  }

  /** Preemptions of the schedules that are run at present, or were run last. */
  get preemptions(): number {
    return this.traces.length - 1;
  }

  /** Whether there is no schedule left, with however many preemptions. */
  get isExhausted(): boolean {
    return this.#level.isOver && !this.#level.hasLater;
  }

  get isOver(): boolean {
    return this.#level.isOver && (!this.#level.hasLater || this.preemptions >= this.#most);
  }

  runNext(program: Explorable): boolean {
    if (this.isOver) return false;
    if (this.#level.isOver) this.#goDeeper();
    this.#level.runNext(program);
    this.traces[this.preemptions] = this.#seen.size;
    return true;
  }

  #goDeeper(): void {
    this.#before += this.#level.executions;
    this.traces.push(this.#seen.size);
    this.#level = this.#levelOf(this.#level.later.reverse());
  }

  #levelOf(forks: readonly Fork[]): ForkSearch {
    const beyond = this.preemptions < this.#most ? "kept" : "noted";
    return new ForkSearch(forks, beyond, this.#dependence, this.#seen);
  }
}
