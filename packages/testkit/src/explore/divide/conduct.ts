import type { DividedSearch } from "./divided-search.ts";
import type { SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";

/** How far a divided search goes in one go, and by whom. */
export interface Conduct {
  /** Runs that may be made in this go. */
  readonly maxExecutions: number;
  readonly atFailure: "stop" | "go-on";
  /** Parts that are explored at the same time. */
  readonly width: number;
  /** Whether another part may be begun: asked before each. */
  mayGoOn(): boolean;
  /** Explores a part, here or elsewhere. */
  explore(task: SubTreeTask): Promise<SubTreeAnswer>;
  /** Told whenever parts have been answered for. */
  announce?(): void;
}

/**
 * Goes on with a divided search until it is over, or as far as may be. What is found, and which runs are made, does not
 * depend on how many parts are explored at the same time: of a failure at which the search stops it is the first one in
 * the order of the parts, and what came of later ones is left aside.
 */
export async function conduct(search: DividedSearch, about: Conduct): Promise<void> {
  let left = about.maxExecutions;
  while (!search.isOver && left > 0 && about.mayGoOn()) {
    const before = search.executions;
    const handouts = search.handouts(left, about.atFailure);
    const tasks = handouts.map(({ task }) => task);
    const answers = await exploreSome(tasks, about);
    let hasFailed = false;
    for (const [index, { part }] of handouts.entries()) {
      const answer = answers[index];
      if (answer === undefined) continue;
      search.answer(part, answer);
      hasFailed = about.atFailure === "stop" && answer.counterexamples.length > 0;
      if (hasFailed) break;
    }
    left -= search.executions - before;
    about.announce?.();
    if (hasFailed) return;
  }
}

/** Explores parts in their order, so many at a time; those are left out that come after a failure at which to stop. */
async function exploreSome(
  tasks: readonly SubTreeTask[],
  { width, atFailure, mayGoOn, explore }: Conduct,
): Promise<readonly (SubTreeAnswer | undefined)[]> {
  const answers: (SubTreeAnswer | undefined)[] = tasks.map(() => undefined);
  let next = 0;
  let hasFailed = false;
  const work = async (): Promise<void> => {
    while (next < tasks.length && !hasFailed && (next === 0 || mayGoOn())) {
      const at = next++;
      const answer = await explore(tasks[at] as SubTreeTask);
      answers[at] = answer;
      hasFailed ||= atFailure === "stop" && answer.counterexamples.length > 0;
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return answers;
}
