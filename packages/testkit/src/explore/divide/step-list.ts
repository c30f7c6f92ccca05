import type { Step } from "../step.ts";
import { dataOfStep, type StepData } from "./step-data.ts";

/**
 * Steps of many runs, each once: those that are the same step of their task, and do the same, have one place. So two
 * steps of one run never share a place, and a cause is told apart from a step that only looks like it.
 */
export class StepList {
  readonly steps: StepData[] = [];
  readonly #places = new Map<string, number>();

  /** The place of a step that is the `nth` of its task in its run, with what caused it before it. */
  placeOf(step: Step, nth: number, cause: number | undefined): number {
    const { task, objects, accesses, mayBlock, isConditional } = step;
    const flags = `${mayBlock ? "b" : ""}${isConditional ? "c" : ""}`;
    const key = `${task},${nth},${flags};${objects.join()};${accesses.join()};${cause ?? ""}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.steps.length);
    this.steps.push(cause === undefined ? dataOfStep(step) : { ...dataOfStep(step), cause });
    return this.steps.length - 1;
  }
}
