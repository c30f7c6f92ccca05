import type { Beginning } from "./beginning.ts";
import type { Step } from "./step.ts";

/** Beginnings of runs that are still to be explored, from one state on: branches in the order of exploring. */
export interface WakeupBranch {
  readonly task: number;
  /** What the task does there, which may have to be found out by a run once somebody asks. */
  readonly step: Step;
  /** The same as far as it is known: right is what it touches in any case. */
  readonly outline: Step;
  readonly branches: WakeupBranch[];
}

/** A branch of which it is known what its step touches. */
export function branchWith(step: Step, branches: WakeupBranch[]): WakeupBranch {
  return { task: step.task, step, outline: step, branches };
}

/** The last branch of a beginning: what its step touches is found out when it matters, if it ever does. */
class LastBranch implements WakeupBranch {
  readonly task: number;
  readonly branches: WakeupBranch[] = [];
  readonly #beginning: Beginning;

  constructor(beginning: Beginning) {
    this.task = beginning.outline.task;
    this.#beginning = beginning;
  }

  get step(): Step {
    return this.#beginning.last;
  }

  get outline(): Step {
    return this.#beginning.outline;
  }
}

/**
 * Adds a beginning to a wake-up tree, unless a run that the tree will lead to is equal to one that starts with it. Where
 * part of it is already there, the rest is hung below that part, so that each trace is run once. The beginning is used up.
 *
 * @returns whether it was added
 */
export function insertBeginning(branches: WakeupBranch[], beginning: Beginning): boolean {
  let level = branches;
  while (!beginning.isOver) {
    const match = level.find((branch) => beginning.canStartWithBranch(branch));
    if (match === undefined) {
      grow(level, beginning);
      return true;
    }
    if (match.branches.length === 0) return false;
    beginning.leaveOut(match.task);
    level = match.branches;
  }
  return false;
}

/** Hangs a beginning into the tree as a branch without forks. */
function grow(level: WakeupBranch[], beginning: Beginning): void {
  let at = level;
  for (const step of beginning.others) {
    const branches: WakeupBranch[] = [];
    at.push(branchWith(step, branches));
    at = branches;
  }
  at.push(new LastBranch(beginning));
}
