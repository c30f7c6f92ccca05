import { type Judged, judgedRuns } from "../judged-runs.ts";
import { PriorityRuns } from "../priority-runs.ts";
import { RandomSearch } from "../random-search.ts";
import type { PartProgress } from "./part-kinds.ts";
import type { RunsAnswer, RunsTask } from "./runs-task.ts";

/**
 * Makes runs that are drawn by their numbers.
 *
 * @param mayGoOn is asked after each execution
 */
export function exploreRuns(
  task: RunsTask,
  program: Judged,
  mayGoOn: (progress: PartProgress) => boolean = () => true,
): RunsAnswer {
  const { by, seed, from, end } = task;
  const search =
    by === "steps" ? new RandomSearch(end, seed, from) : new PriorityRuns({ from, end, seed, ...by });
  const counterexamples = judgedRuns(search, program, task, () =>
    mayGoOn({ executions: search.executions, size: end - from }),
  );
  const [tasks, steps] = search instanceof PriorityRuns ? [search.tasks, search.steps] : [0, 0];
  return { executions: search.executions, abandoned: 0, tasks, steps, counterexamples };
}
