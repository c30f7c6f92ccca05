/** Random programs of user operations, for any subject and any executor. */
export { type RandomShape, randomPrograms, sequentialSteps } from "./random-programs.ts";
export { RandomRun } from "./random-run.ts";
export {
  type MappedThing,
  type RandomProgram,
  type RandomStep,
  type Range,
  WINDOW_PAGES,
  WINDOW_START,
} from "./random-step.ts";
export type { StepOutcome } from "./random-words.ts";
