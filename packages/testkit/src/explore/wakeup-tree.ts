import type { Dependence, Step } from "./step.ts";

/** Beginnings of runs that are still to be explored, from one state on: branches in the order of exploring. */
export interface WakeupBranch {
  readonly step: Step;
  readonly branches: WakeupBranch[];
}

/**
 * Adds a beginning to a wake-up tree, unless a run that the tree will lead to is equal to one that starts with it. Where
 * part of it is already there, the rest is hung below that part, so that each trace is run once.
 */
export function insertBeginning(
  branches: WakeupBranch[],
  beginning: readonly Step[],
  dependence: Dependence,
): void {
  let level = branches;
  let rest = beginning;
  while (rest.length > 0) {
    const match = level.find(({ step }) => dependence.isWeakInitial(step, rest));
    if (match === undefined) {
      grow(level, rest);
      return;
    }
    if (match.branches.length === 0) return;
    const index = rest.findIndex(({ task }) => task === match.step.task);
    if (index >= 0) rest = [...rest.slice(0, index), ...rest.slice(index + 1)];
    level = match.branches;
  }
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
