import type { Chooser } from "./chooser.ts";
import { describeChoice, isSameChoice, type RecordedChoice, recordChoice } from "./recorded-choice.ts";
import type { Task } from "./task.ts";

/** The recorded schedule does not fit the program any more: the code changed under it, or it is not deterministic. */
export class ReplayMismatch extends Error {
  override readonly name = "ReplayMismatch";
}

/** A chooser that repeats a recording. */
export interface ReplayChooser extends Chooser {
  /**
   * To be called when the program has ended.
   *
   * @throws ReplayMismatch when the recording goes on
   */
  finish(): void;
}

/**
 * Repeats a recorded schedule and checks at each step that the task announces what it announced then, whatever else
 * a step touches included.
 *
 * @throws ReplayMismatch from `choose` when it does not, or when the recording is at its end
 */
export function replayChooser(recorded: readonly RecordedChoice[]): ReplayChooser {
  let step = 0;
  return {
    name: "replay",
    interleaves: true,
    choose(enabled: readonly Task[]): Task {
      const choice = recorded[step];
      if (choice === undefined) {
        throw new ReplayMismatch(
          `the recording ends after ${recorded.length} steps, but the program goes on`,
        );
      }
      const task = enabled.find((candidate) => candidate.id === choice.task);
      if (task === undefined) {
        const able = enabled.map((candidate) => `${candidate.id} (${candidate.name})`).join(", ");
        throw new ReplayMismatch(
          `step ${step}: recorded task ${choice.task} cannot run; able to run: ${able}`,
        );
      }
      const now = recordChoice(task);
      if (!isSameChoice(now, choice)) {
        throw new ReplayMismatch(
          `step ${step}: ${task.name} is about to ${describeChoice(now)}, but the recording says ${describeChoice(choice)}`,
        );
      }
      step++;
      return task;
    },
    finish() {
      const next = recorded[step];
      if (next === undefined) return;
      throw new ReplayMismatch(
        `the program ended after ${step} steps, but the recording has ${recorded.length}: task ${next.task} would ${describeChoice(next)}`,
      );
    },
  };
}
