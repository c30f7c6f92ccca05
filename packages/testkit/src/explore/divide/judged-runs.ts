import type { Counterexample } from "../explore-law.ts";
import type { Explorable, Search } from "../search.ts";
import type { Handed } from "./part-kinds.ts";

/** A program whose runs can be judged. */
export interface Judged extends Explorable {
  /** What the last execution came to. */
  readonly outcome: Counterexample;
}

/** How far a part has come that is being explored. */
export interface PartProgress {
  readonly executions: number;
  /** Runs that the part has in all, by what was seen of it; undefined where there is no telling. */
  readonly size: number | undefined;
}

/**
 * Runs a program as a search says, until that is over, the budget is used up, it fails where it is to stop then, or nobody
 * wants it to go on: the first schedule for each distinct set of problems.
 *
 * @param mayGoOn is asked after each execution
 */
export function judgedRuns(
  search: Search,
  program: Judged,
  { budget, atFailure }: Handed,
  mayGoOn: () => boolean,
): readonly Counterexample[] {
  const found = new Map<string, Counterexample>();
  while (search.executions < budget) {
    const before = search.executions;
    if (!search.runNext(program)) break;
    if (search.executions === before) continue;
    const { problems, schedule } = program.outcome;
    if (problems.length > 0) {
      keepFirst(found, { problems, schedule });
      if (atFailure === "stop") break;
    }
    if (!mayGoOn()) break;
  }
  return [...found.values()];
}

/** Keeps the first schedule for each distinct set of problems. */
export function keepFirst(found: Map<string, Counterexample>, counterexample: Counterexample): void {
  const key = counterexample.problems.join("\n");
  if (!found.has(key)) found.set(key, counterexample);
}
