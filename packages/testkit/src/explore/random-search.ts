import { numbersOfRun } from "./random-numbers.ts";
import type { Explorable, Search } from "./search.ts";

/** Lets chance decide at every step who goes on: a uniform walk, the same for the same seed and number of the run. */
export class RandomSearch implements Search {
  executions = 0;
  readonly abandoned = 0;
  readonly #from: number;
  readonly #end: number;
  readonly #seed: number;

  /** Makes the runs `[from, end)` of those that a seed stands for. */
  constructor(end: number, seed: number, from = 0) {
    this.#from = from;
    this.#end = end;
    this.#seed = seed;
  }

  get isOver(): boolean {
    return this.#from + this.executions >= this.#end;
  }

  runNext(program: Explorable): boolean {
    if (this.isOver) return false;
    const numbers = numbersOfRun(this.#seed, this.#from + this.executions);
    program.run((moment) => {
      const enabled = moment.enabled();
      return enabled[numbers.below(enabled.length)] as number;
    });
    program.keepOutcome();
    this.executions++;
    return true;
  }
}
