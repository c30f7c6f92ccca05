import { type Judged, judgedRuns } from "../judged-runs.ts";
import type { Dependence } from "../step.ts";
import type { PartProgress } from "./part-kinds.ts";
import { SubTreeSearch } from "./sub-tree-search.ts";
import type { SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";
import { sizeOfPart } from "./tree-state.ts";

/**
 * Explores a part of an optimal search.
 *
 * @param mayGoOn is asked after each execution; what is left when it says no is in the answer, as when the budget is used up
 * @throws NotTheSameProgram when the program is not the one that the part was made from, as far as that shows
 */
export function exploreSubTree(
  task: SubTreeTask,
  program: Judged,
  dependence: Dependence,
  mayGoOn: (progress: PartProgress) => boolean = () => true,
): SubTreeAnswer {
  const search = new SubTreeSearch(dependence, task);
  const progress: PartProgress = {
    get executions() {
      return search.executions;
    },
    get size() {
      return sizeOfPart(search.open);
    },
  };
  const counterexamples = judgedRuns(search, program, task, () => mayGoOn(progress));
  const { executions, abandoned, first, steps, requests, open } = search;
  return { executions, abandoned, first, steps: steps.steps, requests, open, counterexamples };
}
