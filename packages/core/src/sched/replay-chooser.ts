import type { Chooser } from "./chooser.ts";
import { accessNames, describeObject } from "./points.ts";
import type { Task } from "./task.ts";

/** One recorded step: which task ran, and what it had announced. */
export interface RecordedChoice {
  readonly task: number;
  readonly object: number;
  readonly access: number;
}

/** The recorded schedule does not fit the program any more: the code changed under it, or it is not deterministic. */
export class ReplayMismatch extends Error {
  override readonly name = "ReplayMismatch";
}

/**
 * Repeats a recorded schedule and checks at each step that the task announces what it announced then.
 *
 * @throws ReplayMismatch from `choose` when it does not, or when the recording is at its end
 */
export function replayChooser(recorded: readonly RecordedChoice[]): Chooser {
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
      if (task.announcedObject !== choice.object || task.announcedAccess !== choice.access) {
        const now = `${accessNames[task.announcedAccess]} ${describeObject(task.announcedObject)}`;
        const then = `${accessNames[choice.access]} ${describeObject(choice.object)}`;
        throw new ReplayMismatch(
          `step ${step}: ${task.name} is about to ${now}, but the recording says ${then}`,
        );
      }
      step++;
      return task;
    },
  };
}
