import type { Explorable, Search } from "./search.ts";

/** A schedule under which a law is broken. */
export interface Counterexample {
  readonly problems: readonly string[];
  /** The tasks in the order of their steps, by number. */
  readonly schedule: readonly number[];
}

/** A program whose runs can be judged. */
export interface Judged extends Explorable {
  /** What the last execution came to. */
  readonly outcome: Counterexample;
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
  { budget, atFailure }: { readonly budget: number; readonly atFailure: "stop" | "go-on" },
  mayGoOn: () => boolean,
): readonly Counterexample[] {
  const found = new Map<string, Counterexample>();
  while (search.executions < budget) {
    const before = search.executions;
    if (!search.runNext(program)) break;
    if (search.executions === before) continue;
    const goesOn = mayGoOn();
    const { problems, schedule } = program.outcome;
    if (problems.length > 0) keepFirst(found, { problems, schedule });
    if (!goesOn || (problems.length > 0 && atFailure === "stop")) break;
  }
  return [...found.values()];
}

/** Keeps the first schedule for each distinct set of problems. */
export function keepFirst(found: Map<string, Counterexample>, counterexample: Counterexample): void {
  const key = counterexample.problems.join("\n");
  if (!found.has(key)) found.set(key, counterexample);
}
