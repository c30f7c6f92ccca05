import type { Judged } from "../judged-runs.ts";
import type { Dependence } from "../step.ts";
import { exploreForks } from "./explore-forks.ts";
import { exploreRuns } from "./explore-runs.ts";
import { exploreSubTree } from "./explore-sub-tree.ts";
import type { PartAnswer, PartKind, PartProgress, PartTask } from "./part-kinds.ts";

/**
 * Explores a part of a search, of whichever kind it is.
 *
 * @param mayGoOn is asked after each execution; what is left when it says no is in the answer, as when the budget is used up
 * @throws NotTheSameProgram when the program is not the one that the part was made from, as far as that shows
 */
export function explorePart<K extends PartKind>(
  task: PartTask<K>,
  program: Judged,
  dependence: Dependence,
  mayGoOn?: (progress: PartProgress) => boolean,
): PartAnswer<K> {
  const explore = (part: PartTask): PartAnswer => {
    switch (part.algorithm) {
      case "optimal":
        return exploreSubTree(part, program, dependence, mayGoOn);
      case "preemptions":
        return exploreForks(part, program, dependence, mayGoOn);
      case "drawn":
        return exploreRuns(part, program, mayGoOn);
    }
  };
  // The answer is of the kind of the task.
  return explore(task) as PartAnswer<K>;
}
