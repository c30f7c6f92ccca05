import { sideOf } from "./compare-steps.ts";
import type { ObservedStep } from "./observed-step.ts";

/**
 * The outcomes of one race in words that tell them apart: of each actor's steps those alone that do not answer the same in all.
 *
 * @param outcomes runs that came to something else each, by whatever they are known by
 */
export function outcomesInWords(
  outcomes: ReadonlyMap<string, readonly ObservedStep[]>,
): ReadonlyMap<string, string> {
  const runs = [...outcomes.values()];
  const actors = [...new Set(runs.flatMap((steps) => steps.map(({ actor }) => actor)))].sort();
  const told = actors.flatMap((actor) => {
    const own = new Map([...outcomes].map(([key, steps]) => [key, stepsOf(actor, steps)]));
    const length = Math.max(...[...own.values()].map((steps) => steps.length));
    return Array.from(
      { length },
      (_, at) => new Map([...own].map(([key, steps]) => [key, sideAt(steps, at)])),
    );
  });
  const telling = told.filter((sides) => new Set(sides.values()).size > 1);
  return new Map(
    [...outcomes.keys()].map((key) => {
      const words = telling.flatMap((sides) => sides.get(key) ?? []);
      return [key, words.length === 0 ? ALWAYS : words.join(", ")];
    }),
  );
}

/** Where there is one outcome, or one that goes no further than all others do. */
const ALWAYS = "the same each time";

function stepsOf(actor: string, steps: readonly ObservedStep[]): readonly ObservedStep[] {
  return steps.filter((step) => step.actor === actor);
}

function sideAt(steps: readonly ObservedStep[], at: number): string | undefined {
  return at < steps.length ? sideOf(steps, at) : undefined;
}
