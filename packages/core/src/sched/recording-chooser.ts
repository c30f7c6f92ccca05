import type { Chooser } from "./chooser.ts";
import { type RecordedChoice, recordChoice } from "./recorded-choice.ts";
import type { Task } from "./task.ts";

/** A chooser that keeps what was chosen, to be replayed. */
export interface RecordingChooser extends Chooser {
  /** Every choice so far, in order. */
  readonly recorded: readonly RecordedChoice[];
}

/**
 * Chooses as another chooser does, and records it.
 *
 * @throws RangeError when the other does not interleave: then steps are not announced, and there is nothing to record
 */
export function recordingChooser(inner: Chooser): RecordingChooser {
  if (!inner.interleaves)
    throw new RangeError(`${inner.name} does not interleave, so there is nothing to record`);
  const recorded: RecordedChoice[] = [];
  return {
    name: inner.name,
    interleaves: true,
    recorded,
    choose(enabled: readonly Task[], last: Task | undefined): Task {
      const task = inner.choose(enabled, last);
      recorded.push(recordChoice(task));
      return task;
    },
  };
}
