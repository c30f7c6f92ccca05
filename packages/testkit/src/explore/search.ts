import type { Step } from "./step.ts";

/** What a search decides on: the state between two steps of a run. It is a view of the program, valid during the call only. */
export interface Moment {
  /** The numbers of the tasks that can go on, ascending; the list is the program's, and is filled anew the next time. */
  enabled(): readonly number[];
  /** The first task above a number that can go on; -1 when there is none. */
  enabledAbove(task: number): number;
  /** The step that a task is about to take, as announced, in an object that is the caller's; undefined when it cannot go on. */
  nextStep(task: number): Step | undefined;
  /** Whether a task is about to touch an object in this way first of all. Whether it can go on is not asked. */
  isAbout(task: number, object: number, access: number): boolean;
  /** The steps that tasks have announced and cannot take now. */
  waiting(): readonly Step[];
  /** What the last step touched besides what it had announced. */
  readonly notedObjects: readonly number[];
  readonly notedAccesses: readonly number[];
  /** Tasks that were created or woken since this was asked last, in this run. */
  caused(): readonly number[];
  /** Whether time has moved since this was asked last, in this run, because nobody could go on. */
  hasTimeMoved(): boolean;
  /** Whether every task but one has ended. */
  isDownToOne(): boolean;
  /**
   * The only task that is left goes on to its end, or to where it has made another, without being asked for: nobody can come
   * between its steps, and none of them could have come before one of another task.
   */
  goOnAlone(): void;
}

/** How a run ended, as far as a search needs to know. */
export interface RunEnd {
  /** What the last step touched besides what it had announced. */
  readonly notedObjects: readonly number[];
  readonly notedAccesses: readonly number[];
  /** The steps that tasks were still waiting to take. */
  readonly waiting: readonly Step[];
}

/** What `choose` answers when the run is not worth going on with: an equal one has been explored. */
export const ABANDON = -1;

/** A program that can be run again and again from the start, the same way under the same choices. */
export interface Explorable {
  /**
   * Runs it once. Before each step `choose` says which task goes on, by its number, or ends the run with `ABANDON`.
   *
   * @returns how it ended; undefined for a run that was abandoned
   * @throws NotTheSameProgram when the task that is chosen cannot go on
   */
  run(choose: (moment: Moment) => number): RunEnd | undefined;
  /**
   * The run that has just ended is one of the search's executions: the program keeps what came of it, as it may be run
   * again to find something out before anybody looks.
   */
  keepOutcome(): void;
}

/** The same program under the same choices did something else: it is not deterministic, or it has changed. */
export class NotTheSameProgram extends Error {
  override readonly name = "NotTheSameProgram";
}

/** A way through all schedules of a program: it is asked for one run after the other. */
export interface Search {
  /** Runs the program once more; false when there was nothing left to run. */
  runNext(program: Explorable): boolean;
  /** Whether it is known that nothing is left to run, as it is after the last run of all. */
  readonly isOver: boolean;
  /** Runs that went to the end. */
  readonly executions: number;
  /** Runs that were given up because an equal one had been explored. */
  readonly abandoned: number;
}
