import type { Task } from "./task.ts";

/**
 * Decides who runs next: the one place where schedules come from. The same program under the same chooser and seed
 * gives the same events, byte for byte.
 */
export interface Chooser {
  readonly name: string;
  /**
   * Whether tasks may be switched at points. When false, kernel code skips announcing them (a flag test), and a task
   * runs until it sleeps.
   */
  readonly interleaves: boolean;
  /**
   * Whether it interleaves from the first step on, which it does when this is left out, or only once there is a second
   * task: one task alone has nobody to race with, and takes the short ways.
   */
  readonly interleavesFrom?: "first-task" | "second-task";
  /**
   * What the scheduler is to write down: every choice of a chooser that interleaves, which it does when this is left out,
   * or nothing, as the chooser knows it all.
   */
  readonly records?: "choices" | "nothing";
  /**
   * @param enabled the tasks that could run, ascending by id, never empty; valid during the call only
   * @param last the task that ran last, if any
   * @returns one of `enabled`
   */
  choose(enabled: readonly Task[], last: Task | undefined): Task;
}
