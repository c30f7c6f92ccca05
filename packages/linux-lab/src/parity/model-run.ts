import { type Contender, exploreLaw, type LawCase, ModelWorld, recordedCase } from "@nopage/testkit/executor";
import { outcomeVector } from "./compare-steps.ts";
import { type ObservedStep, StepObserver } from "./observed-step.ts";

/** The machine that guests are. */
export const GEOMETRY = "x86-64";

/**
 * Executions that a search may have for one program, some seconds' worth: most programs need some dozen. What a search has not
 * covered with them is judged by the law alone, and marked.
 */
const SEARCH_EXECUTIONS = 5000;

/** What a program did on the model. */
export interface ModelRun {
  readonly problems: readonly string[];
  readonly steps: readonly ObservedStep[];
}

/** All that the threads of a racy program may see. */
export interface Allowed {
  readonly problems: readonly string[];
  /** Each outcome with a run that comes to it, by its `outcomeVector`. */
  readonly outcomes: ReadonlyMap<string, readonly ObservedStep[]>;
  /** Whether there can be no others. */
  readonly complete: boolean;
}

/** Runs a program on the model once; undefined where it is not for what is tried. */
export function runOnModel(lawCase: LawCase, on: Contender): ModelRun | undefined {
  const world = new ModelWorld(on, { ...lawCase.machine, geometry: GEOMETRY });
  if (lawCase.excluded?.(world.stage) !== undefined) return undefined;
  const observer = new StepObserver();
  const { problems } = world.run(recordedCase(lawCase, (line, step) => observer.note(line, step)));
  return { problems, steps: observer.steps };
}

/** What the model allows of a racy program, by running it in every order of its threads' steps, so many at the most. */
export function allowedOnModel(lawCase: LawCase, on: Contender, maxExecutions = SEARCH_EXECUTIONS): Allowed {
  let observer = new StepObserver();
  const outcomes = new Map<string, readonly ObservedStep[]>();
  const recorded = recordedCase(lawCase, (line, step) => observer.note(line, step));
  const watched: LawCase = {
    ...recorded,
    program(stage) {
      observer = new StepObserver();
      return recorded.program(stage);
    },
  };
  const found = exploreLaw(watched, on, GEOMETRY, {
    atFailure: "go-on",
    maxExecutions,
    kept: () => outcomes.set(outcomeVector(observer.steps), observer.steps),
  });
  return {
    problems: found.counterexamples.flatMap(({ problems }) => problems),
    outcomes,
    complete: found.complete,
  };
}
