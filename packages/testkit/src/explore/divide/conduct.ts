import type { PartAnswer, PartKind, PartTask } from "./part-kinds.ts";
import type { Rounds } from "./rounds.ts";

/** How far a search in parts goes in one go, and by whom. */
export interface Conduct<K extends PartKind> {
  /** Runs that may be made in this go. */
  readonly maxExecutions: number;
  readonly atFailure: "stop" | "go-on";
  /** Parts that are explored at the same time. */
  readonly width: number;
  /** Whether another part may be begun: asked before each. */
  mayGoOn(): boolean;
  /** Explores a part, here or elsewhere. */
  explore(task: PartTask<K>): Promise<PartAnswer<K>>;
  /** Told whenever parts have been answered for. */
  announce?(): void;
}

/**
 * Goes on with a search in parts until it is over, or as far as may be. What is found, and which runs are made, does not
 * depend on how many parts are explored at the same time: of a failure at which the search stops it is the first one in
 * the order of the parts, and what came of later ones is left aside.
 */
export async function conduct<K extends PartKind>(search: Rounds<K>, about: Conduct<K>): Promise<void> {
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
async function exploreSome<K extends PartKind>(
  tasks: readonly PartTask<K>[],
  { width, atFailure, mayGoOn, explore }: Conduct<K>,
): Promise<readonly (PartAnswer<K> | undefined)[]> {
  const answers: (PartAnswer<K> | undefined)[] = tasks.map(() => undefined);
  let next = 0;
  let hasFailed = false;
  const work = async (): Promise<void> => {
    while (next < tasks.length && !hasFailed && (next === 0 || mayGoOn())) {
      const at = next++;
      const answer = await explore(tasks[at] as PartTask<K>);
      answers[at] = answer;
      hasFailed ||= atFailure === "stop" && answer.counterexamples.length > 0;
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return answers;
}
