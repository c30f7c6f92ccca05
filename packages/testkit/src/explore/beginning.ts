import type { Dependence, Step } from "./step.ts";
import type { WakeupBranch } from "./wakeup-tree.ts";

/**
 * The beginning of a run that turns a race round: steps that have been taken, and last the later step of the race. What
 * that one touches in its new place has to be found out by running the program where it depends on what it finds, so that
 * is put off until somebody needs to know.
 */
export class Beginning {
  /** Whether nothing is left of it. */
  isOver = false;
  readonly #others: Step[];
  #last: Step;
  /** How to find out what the last step touches; undefined when that is known. */
  #realise: (() => Step) | undefined;
  readonly #dependence: Dependence;

  constructor(dependence: Dependence, others: Step[], last: Step, realise: (() => Step) | undefined) {
    this.#dependence = dependence;
    this.#others = others;
    this.#last = last;
    this.#realise = realise;
  }

  /** Whether a step, of a task that could go first, could start a run that this starts as well. */
  canStartWith(step: Step): boolean {
    const canStart = this.canStartForSure(step);
    if (canStart !== undefined) return canStart;
    const dependence = this.#dependence;
    if (step.task === this.#last.task)
      return !dependence.isAfterAny(this.last, this.#others, this.#others.length);
    return !dependence.conflict(step, this.last);
  }

  /** The same as far as it can be told without finding out what the last step touches; undefined where it cannot. */
  canStartForSure(step: Step): boolean | undefined {
    const dependence = this.#dependence;
    const others = this.#others;
    const index = indexOfTask(others, step.task);
    if (index >= 0) return dependence.isInitial(others, index);
    const last = this.#last;
    if (step.task === last.task) {
      if (this.isKnown) return !dependence.isAfterAny(last, others, others.length);
      // Independent of what comes before it, the last step would touch what it touches as the first one.
      return dependence.isApart(step, others, others.length) ? true : undefined;
    }
    if (!dependence.isApart(step, others, others.length)) return false;
    if (this.isKnown) return !dependence.conflict(step, last);
    return dependence.conflictInAnyCase(step, last) ? false : undefined;
  }

  /** Whether the first step of a branch could start a run that this starts as well. */
  canStartWithBranch(branch: WakeupBranch): boolean {
    // What the branch's first step touches may yet have to be found out, and need not be where it is one of these.
    const index = indexOfTask(this.#others, branch.task);
    if (index >= 0) return this.#dependence.isInitial(this.#others, index);
    if (this.#others.length === 0 && branch.task === this.#last.task) return true;
    const isOpen = branch.isKnown || !this.#isMetForSure(branch.outline);
    return isOpen && this.canStartWith(branch.step);
  }

  /** Whether a step touches in any case what these touch, so that it could not come first of all. */
  #isMetForSure(step: Step): boolean {
    const dependence = this.#dependence;
    for (const other of this.#others) if (dependence.conflictInAnyCase(other, step)) return true;
    return step.task !== this.#last.task && dependence.conflictForSure(step, this.#last);
  }

  /** Leaves out the step of a task, where there is one. */
  leaveOut(task: number): void {
    const others = this.#others;
    const index = indexOfTask(others, task);
    if (index >= 0) {
      for (let at = index + 1; at < others.length; at++) others[at - 1] = others[at] as Step;
      others.pop();
    } else if (task === this.#last.task) this.isOver = true;
  }

  /** Whether it is known what all its steps touch. */
  get isKnown(): boolean {
    return this.#realise === undefined;
  }

  /** The last step, of which perhaps only what it touches in any case is right. */
  get outline(): Step {
    return this.#last;
  }

  /** All of its steps, in full. */
  steps(): readonly Step[] {
    return [...this.#others, this.last];
  }

  /** The steps before the last one. */
  get others(): readonly Step[] {
    return this.#others;
  }

  /** The last step, in full. */
  get last(): Step {
    if (this.#realise !== undefined) {
      this.#last = this.#realise();
      this.#realise = undefined;
    }
    return this.#last;
  }
}

/** The first step of a task in a sequence; -1 where there is none. */
function indexOfTask(steps: readonly Step[], task: number): number {
  for (let index = 0; index < steps.length; index++) if (steps[index]?.task === task) return index;
  return -1;
}
