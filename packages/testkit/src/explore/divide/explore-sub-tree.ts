import type { Counterexample } from "../explore-law.ts";
import type { Explorable } from "../search.ts";
import type { Dependence } from "../step.ts";
import { SubTreeSearch } from "./sub-tree-search.ts";
import type { SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";

/** A program whose runs can be judged. */
export interface Judged extends Explorable {
  /** What the last execution came to. */
  readonly outcome: Counterexample;
}

/**
 * Explores a part of a search.
 *
 * @param mayGoOn is asked after each execution; what is left when it says no is in the answer, as when the budget is used up
 * @throws NotTheSameProgram when the program is not the one that the part was made from, as far as that shows
 */
export function exploreSubTree(
  task: SubTreeTask,
  program: Judged,
  dependence: Dependence,
  mayGoOn: (search: Pick<SubTreeSearch, "executions" | "open">) => boolean = () => true,
): SubTreeAnswer {
  const search = new SubTreeSearch(dependence, task);
  const found = new Map<string, Counterexample>();
  while (search.executions < task.budget) {
    const before = search.executions;
    if (!search.runNext(program)) break;
    if (search.executions === before) continue;
    const { problems, schedule } = program.outcome;
    if (problems.length > 0) {
      const key = problems.join("\n");
      if (!found.has(key)) found.set(key, { problems, schedule });
      if (task.atFailure === "stop") break;
    }
    if (!mayGoOn(search)) break;
  }
  const { executions, abandoned, first, steps, requests, open } = search;
  const counterexamples = [...found.values()];
  return { executions, abandoned, first, steps: steps.steps, requests, open, counterexamples };
}
