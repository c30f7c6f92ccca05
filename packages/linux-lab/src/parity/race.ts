import { outcomeVector } from "./compare-steps.ts";
import type { Allowed } from "./model-run.ts";
import type { ObservedStep } from "./observed-step.ts";
import { outcomesInWords } from "./outcome-words.ts";

/** One way in which a race ends. */
export interface RaceOutcome {
  /** What tells it from the race's other outcomes: the steps that answer something else in others, and what they answer. */
  readonly outcome: string;
  /** The runs in the guest that came to it. */
  readonly times: number;
  /** Whether the model allows it: not known of one that an incomplete search has not met, and where there is no model. */
  readonly allowed: "yes" | "no" | "unknown";
}

/** What a racy program came to in the guest, and may come to on the model. */
export interface Race {
  /** Which of the law's programs; empty where it has only one. */
  readonly program: string;
  readonly runs: number;
  /** Whether the model was searched for all outcomes that it allows, or was not searched at all. */
  readonly search: "complete" | "incomplete" | "none";
  /** Those that were seen, the most frequent first, and then those that are allowed and were not seen. */
  readonly outcomes: readonly RaceOutcome[];
}

/** How often each outcome was seen; with nothing to hold it against where the model does not have the subject. */
export function raceOf(
  program: string,
  runs: readonly (readonly ObservedStep[])[],
  allowed?: Pick<Allowed, "outcomes" | "complete">,
): Race {
  const times = new Map<string, number>();
  const all = new Map(allowed?.outcomes);
  for (const steps of runs) {
    const vector = outcomeVector(steps);
    times.set(vector, (times.get(vector) ?? 0) + 1);
    all.set(vector, steps);
  }
  const unmet = allowed?.complete === true ? "no" : "unknown";
  const outcomes = [...outcomesInWords(all)].map(([vector, outcome]): RaceOutcome => {
    const isMet = allowed?.outcomes.has(vector) === true;
    return { outcome, times: times.get(vector) ?? 0, allowed: isMet ? "yes" : unmet };
  });
  const search = allowed === undefined ? "none" : allowed.complete ? "complete" : "incomplete";
  return {
    program,
    runs: runs.length,
    search,
    outcomes: outcomes.sort((one, other) => other.times - one.times),
  };
}
