import { RandomNumbers } from "./random-numbers.ts";
import type { Explorable, Search } from "./search.ts";

/** Lets chance decide at every step who goes on: a uniform walk, the same for the same seed. */
export class RandomSearch implements Search {
  executions = 0;
  readonly abandoned = 0;
  readonly #runs: number;
  readonly #numbers: RandomNumbers;

  constructor(runs: number, seed: number) {
    this.#runs = runs;
    this.#numbers = new RandomNumbers(seed);
  }

  runNext(program: Explorable): boolean {
    if (this.executions >= this.#runs) return false;
    program.run((moment) => {
      const enabled = moment.enabled();
      return enabled[this.#numbers.below(enabled.length)] as number;
    });
    program.keepOutcome();
    this.executions++;
    return true;
  }
}
