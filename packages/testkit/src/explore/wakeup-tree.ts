import type { Beginning } from "./beginning.ts";
import type { Step } from "./step.ts";

/** Beginnings of runs that are still to be explored, from one state on: branches in the order of exploring. */
export interface WakeupBranch {
  readonly step: Step;
  readonly branches: WakeupBranch[];
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
    const match = level.find(({ step }) => beginning.canStartWith(step));
    if (match === undefined) {
      grow(level, beginning.steps());
      return true;
    }
    if (match.branches.length === 0) return false;
    beginning.leaveOut(match.step.task);
    level = match.branches;
  }
  return false;
}

/** Hangs a sequence into the tree as a branch without forks. */
function grow(level: WakeupBranch[], sequence: readonly Step[]): void {
  let at = level;
  for (const step of sequence) {
    const branches: WakeupBranch[] = [];
    at.push({ step, branches });
    at = branches;
  }
}
