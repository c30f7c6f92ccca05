import type { Step } from "./step.ts";

/** A step that a task is about to take, as announced. */
export type Pending = Omit<Step, "cause">;

/** What a search decides on: the state between two steps of a run. */
export interface Moment {
  /** The tasks that can go on, ascending. */
  readonly enabled: readonly Pending[];
  /** What the last step touched besides what it had announced. */
  readonly notedObjects: readonly number[];
  readonly notedAccesses: readonly number[];
  /** Tasks that the last step created or woke. */
  readonly caused: readonly number[];
  /** Whether time has moved since the last step, because nobody could go on. */
  readonly hasTimeMoved: boolean;
}

/** How a run ended, as far as a search needs to know. */
export interface RunEnd {
  /** What the last step touched besides what it had announced. */
  readonly notedObjects: readonly number[];
  readonly notedAccesses: readonly number[];
  /** The steps that tasks were still waiting to take. */
  readonly waiting: readonly Pending[];
}

/** What `choose` answers when the run is not worth going on with: an equal one has been explored. */
export const ABANDON = -1;

/** A program that can be run again and again from the start, the same way under the same choices. */
export interface Explorable {
  /**
   * Runs it once. Before each step `choose` says which task goes on, by its number, or ends the run with `ABANDON`.
   *
   * @returns how it ended; undefined for a run that was abandoned
   */
  run(choose: (moment: Moment) => number): RunEnd | undefined;
}

/** A way through all schedules of a program: it is asked for one run after the other. */
export interface Search {
  /** Runs the program once more; false when there was nothing left to run. */
  runNext(program: Explorable): boolean;
  /** Runs that went to the end. */
  readonly executions: number;
  /** Runs that were given up because an equal one had been explored. */
  readonly abandoned: number;
}
