import type { ObservedStep } from "./observed-step.ts";

/** The two sides of a comparison, in the words of reports. */
export interface Difference {
  /** The step and what it answered, such as `main: 2nd read = -EINVAL`; of a race which outcomes there are. */
  readonly model: string;
  readonly linux: string;
  /** The steps up to there, as they were on Linux, with both outcomes of the last. */
  readonly steps: readonly string[];
}

/**
 * Where two runs of a program saw something different, actor by actor, in the order of each: every step that answered
 * something else, up to where an actor's runs go different ways, from which on there is nothing to hold side by side.
 */
export function differencesIn(
  model: readonly ObservedStep[],
  linux: readonly ObservedStep[],
): readonly Difference[] {
  const actors = [...new Set([...model, ...linux].map(({ actor }) => actor))];
  return actors.flatMap((actor) => differencesOf(stepsOf(actor, model), stepsOf(actor, linux)));
}

function differencesOf(
  model: readonly ObservedStep[],
  linux: readonly ObservedStep[],
): readonly Difference[] {
  const found: Difference[] = [];
  const length = Math.max(model.length, linux.length);
  for (let at = 0; at < length; at++) {
    const [there, here] = [model[at], linux[at]];
    const isSameCall = there?.call === here?.call;
    if (isSameCall && there?.outcome === here?.outcome) continue;
    found.push({
      model: sideOf(model, at),
      linux: sideOf(linux, at),
      steps: [
        ...linux.slice(0, at).map(({ line }) => line),
        `model: ${there?.line ?? NOTHING_MORE}`,
        `Linux: ${here?.line ?? NOTHING_MORE}`,
      ],
    });
    if (!isSameCall) break;
  }
  return found;
}

const NOTHING_MORE = "nothing more";

function stepsOf(actor: string, steps: readonly ObservedStep[]): readonly ObservedStep[] {
  return steps.filter((step) => step.actor === actor);
}

/** A step among those of its actor: the calls of the same name are counted, so that it is clear which one is meant. */
export function sideOf(steps: readonly ObservedStep[], at: number): string {
  const step = steps[at];
  if (step === undefined) return NOTHING_MORE;
  const { actor, call, outcome } = step;
  const count = steps.slice(0, at + 1).filter((other) => other.call === call).length;
  return `${actor}: ${ordinal(count)} ${call} = ${outcome}`;
}

/** `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`. */
function ordinal(count: number): string {
  const isTeen = Math.floor(count / 10) % 10 === 1;
  const ending = isTeen ? undefined : ["th", "st", "nd", "rd"][count % 10];
  return `${count}${ending ?? "th"}`;
}

/** All that the actors of a run saw, so that two runs that saw the same are the same; who was when is left out. */
export function outcomeVector(steps: readonly ObservedStep[]): string {
  const actors = [...new Set(steps.map(({ actor }) => actor))].sort();
  return actors
    .map((actor) => {
      const own = steps.filter((step) => step.actor === actor);
      return `${actor}: ${own.map(({ call, outcome }) => `${call}=${outcome}`).join(", ")}`;
    })
    .join("\n");
}
