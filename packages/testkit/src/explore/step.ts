/** One executed step of a task, with everything that it touched. */
export interface Step {
  readonly task: number;
  /** The identities of the objects it touched, and how it touched each: see `ObjectKind` and `PointAccess` of the core. */
  readonly objects: readonly number[];
  readonly accesses: readonly number[];
  /** Whether it had to wait until it could be taken, as for a lock. */
  readonly mayBlock: boolean;
  /** Whether how it touches its objects depends on what it finds there, as for a compare-and-swap. */
  readonly isConditional: boolean;
  /** The step that created the task, or woke it before this step. */
  readonly cause: Step | undefined;
}

/** The kind of access, as numbered by the core, by which a lock is given back. */
export const UNLOCK = 7;

/** Tells which kinds of access of one object may not be swapped. */
export type Conflicts = (one: number, other: number) => boolean;

/** How the steps of a program depend on each other. */
export class Dependence {
  readonly #conflicts: Conflicts;

  constructor(conflicts: Conflicts) {
    this.#conflicts = conflicts;
  }

  /** Whether two steps of different tasks, in this order, may not be swapped. */
  conflict(earlier: Step, later: Step): boolean {
    return this.#clash(earlier, later, false);
  }

  /**
   * Whether all that keeps two conflicting steps in order is that `earlier` gives back what `later` has to wait for: an
   * order, but no race.
   */
  isHandOver(earlier: Step, later: Step): boolean {
    return later.mayBlock && earlier.accesses.includes(UNLOCK) && !this.#clash(earlier, later, true);
  }

  /** Whether `later` comes after `earlier` in every equal run: same task, conflict, or cause. */
  isOrdered(earlier: Step, later: Step): boolean {
    return earlier.task === later.task || later.cause === earlier || this.conflict(earlier, later);
  }

  /** Whether a step is independent of all of a sequence, and of none of its tasks. */
  isApart(step: Step, sequence: readonly Step[]): boolean {
    return sequence.every((other) => other.task !== step.task && !this.conflict(step, other));
  }

  /** Whether nothing in the sequence comes before its element `index` in every equal run. */
  isInitial(sequence: readonly Step[], index: number): boolean {
    const step = sequence[index] as Step;
    for (let before = 0; before < index; before++) {
      if (this.isOrdered(sequence[before] as Step, step)) return false;
    }
    return true;
  }

  /** Whether the step, of a task that could go first, could start a run that the sequence starts as well. */
  isWeakInitial(step: Step, sequence: readonly Step[]): boolean {
    const index = sequence.findIndex(({ task }) => task === step.task);
    return index < 0 ? this.isApart(step, sequence) : this.isInitial(sequence, index);
  }

  #clash(earlier: Step, later: Step, isUnlockIgnored: boolean): boolean {
    const { objects, accesses } = earlier;
    for (let one = 0; one < objects.length; one++) {
      const access = accesses[one] as number;
      if (isUnlockIgnored && access === UNLOCK) continue;
      for (let other = 0; other < later.objects.length; other++) {
        if (objects[one] !== later.objects[other]) continue;
        if (this.#conflicts(access, later.accesses[other] as number)) return true;
      }
    }
    return false;
  }
}
