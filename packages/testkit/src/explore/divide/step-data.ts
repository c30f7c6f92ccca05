import { Step } from "../step.ts";
import { WakeupBranch } from "../wakeup-tree.ts";

/** A step as plain data. */
export interface StepData {
  readonly task: number;
  readonly objects: readonly number[];
  readonly accesses: readonly number[];
  readonly mayBlock: boolean;
  readonly isConditional: boolean;
  /** The position of the step that caused it in the same list; left out where it is not in one. */
  readonly cause?: number;
}

/** A branch of a wake-up tree as plain data. */
export interface BranchData {
  readonly step: StepData;
  readonly branches: readonly BranchData[];
}

/** A step by itself as plain data. */
export function dataOfStep({ task, objects, accesses, mayBlock, isConditional }: Step): StepData {
  return { task, objects, accesses, mayBlock, isConditional };
}

export function stepOf(data: StepData, cause?: Step): Step {
  const { task, objects, accesses, mayBlock, isConditional } = data;
  return new Step(task, objects, accesses, mayBlock, isConditional, cause);
}

/** A list of steps in which causes come before what they cause. */
export function stepsOf(list: readonly StepData[]): readonly Step[] {
  const steps: Step[] = [];
  for (const data of list) {
    steps.push(stepOf(data, data.cause === undefined ? undefined : steps[data.cause]));
  }
  return steps;
}

export function dataOfBranch({ step, branches }: WakeupBranch): BranchData {
  return { step: dataOfStep(step), branches: branches.map(dataOfBranch) };
}

export function branchOf({ step, branches }: BranchData): WakeupBranch {
  return new WakeupBranch(stepOf(step), branches.map(branchOf));
}
