import { type Contender, exploreLaw, type LawCase, ModelWorld, recordedCase } from "@nopage/testkit/executor";
import { outcomeVector } from "./compare-steps.ts";
import { type ObservedStep, StepObserver } from "./observed-step.ts";

/** The machine that guests are. */
export const GEOMETRY = "x86-64";

/** A search may take so long for one program; what it has not covered by then is judged by the law alone. */
const SEARCH_MS = 5000;

/** What a program did on the model. */
export interface ModelRun {
  readonly problems: readonly string[];
  readonly steps: readonly ObservedStep[];
}

/** All that the threads of a racy program may see. */
export interface Allowed {
  readonly problems: readonly string[];
  readonly vectors: ReadonlySet<string>;
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

/** What the model allows of a racy program, by running it in every order of its threads' steps, as far as there is time. */
export function allowedOnModel(lawCase: LawCase, on: Contender): Allowed {
  let observer = new StepObserver();
  const vectors = new Set<string>();
  const recorded = recordedCase(lawCase, (line, step) => observer.note(line, step));
  const watched: LawCase = {
    ...recorded,
    program(stage) {
      observer = new StepObserver();
      return recorded.program(stage);
    },
  };
  const until = performance.now() + SEARCH_MS;
  const found = exploreLaw(watched, on, GEOMETRY, {
    atFailure: "go-on",
    announce: () => vectors.add(outcomeVector(observer.steps)),
    mayGoOn: () => performance.now() < until,
  });
  return {
    problems: found.counterexamples.flatMap(({ problems }) => problems),
    vectors,
    complete: found.complete,
  };
}
