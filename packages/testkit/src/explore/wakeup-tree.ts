import type { Beginning } from "./beginning.ts";
import type { Step } from "./step.ts";

/** Beginnings of runs that are still to be explored, from one state on: branches in the order of exploring. */
export class WakeupBranch {
  readonly task: number;
  readonly branches: WakeupBranch[];
  readonly #step: Step;
  /** The beginning that this is the last branch of, as long as it is not known what the step touches. */
  readonly #beginning: Beginning | undefined;

  /** @param beginning finds out what the step touches, where it matters, if it ever does; left out where that is known */
  constructor(step: Step, branches: WakeupBranch[], beginning?: Beginning) {
    this.task = step.task;
    this.branches = branches;
    this.#step = step;
    this.#beginning = beginning;
  }

  /** What the task does there, which may have to be found out by a run. */
  get step(): Step {
    return this.#beginning === undefined ? this.#step : this.#beginning.last;
  }

  /** Whether that is known. */
  get isKnown(): boolean {
    return this.#beginning === undefined || this.#beginning.isKnown;
  }

  /** The same step as far as it is known: right is what it touches in any case. */
  get outline(): Step {
    return this.#step;
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
    const match = matchOf(level, beginning);
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

/** The first branch that could start a run which the beginning starts as well. */
function matchOf(level: readonly WakeupBranch[], beginning: Beginning): WakeupBranch | undefined {
  for (const branch of level) if (beginning.canStartWithBranch(branch)) return branch;
  return undefined;
}

/** Hangs a beginning into the tree as a branch without forks. */
function grow(level: WakeupBranch[], beginning: Beginning): void {
  let at = level;
  for (const step of beginning.others) {
    const branches: WakeupBranch[] = [];
    at.push(new WakeupBranch(step, branches));
    at = branches;
  }
  at.push(new WakeupBranch(beginning.outline, [], beginning.isKnown ? undefined : beginning));
}
