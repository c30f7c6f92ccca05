import type { ObservedStep } from "./observed-step.ts";

/** The two sides of a comparison, in the words of reports. */
export interface Difference {
  readonly model: string;
  readonly linux: string;
  /** The steps up to there, as they were on Linux, with both outcomes of the last. */
  readonly steps: readonly string[];
}

/** Where two runs of a program first saw something different, actor by actor; undefined where they saw the same. */
export function firstDifference(
  model: readonly ObservedStep[],
  linux: readonly ObservedStep[],
): Difference | undefined {
  for (const actor of new Set([...model, ...linux].map((step) => step.actor))) {
    const one = model.filter((step) => step.actor === actor);
    const other = linux.filter((step) => step.actor === actor);
    const length = Math.max(one.length, other.length);
    for (let at = 0; at < length; at++) {
      const [there, here] = [one[at], other[at]];
      if (there?.call === here?.call && there?.outcome === here?.outcome) continue;
      return {
        model: sideOf(there),
        linux: sideOf(here),
        steps: [
          ...other.slice(0, at).map(({ line }) => line),
          `model: ${there?.line ?? "nothing more"}`,
          `Linux: ${here?.line ?? "nothing more"}`,
        ],
      };
    }
  }
  return undefined;
}

function sideOf(step: ObservedStep | undefined): string {
  return step === undefined ? "nothing more" : `${step.actor}: ${step.call} = ${step.outcome}`;
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
