import { ForkSearch } from "../fork-search.ts";
import { dataOfForks, forksOf } from "../forks.ts";
import { type Judged, judgedRuns } from "../judged-runs.ts";
import type { Dependence } from "../step.ts";
import type { ForksAnswer, ForksTask } from "./forks-task.ts";
import type { PartProgress } from "./part-kinds.ts";

/**
 * Explores schedules with the same number of preemptions.
 *
 * @param mayGoOn is asked after each execution
 * @throws NotTheSameProgram when the program is not the one that the part was made from, as far as that shows
 */
export function exploreForks(
  task: ForksTask,
  program: Judged,
  dependence: Dependence,
  mayGoOn: (progress: PartProgress) => boolean = () => true,
): ForksAnswer {
  const search = new ForkSearch(forksOf(task.forks), task.beyond, dependence);
  const counterexamples = judgedRuns(search, program, task, () =>
    mayGoOn({ executions: search.executions, size: undefined }),
  );
  return {
    executions: search.executions,
    abandoned: 0,
    left: dataOfForks(search.left),
    later: dataOfForks(search.later),
    hasLater: search.hasLater,
    traces: [...search.traces],
    counterexamples,
  };
}
