import { ExhaustiveSearch } from "../exhaustive-search.ts";
import { OptimalSearch } from "../optimal-search.ts";
import type { Search } from "../search.ts";
import { SourceSearch } from "../source-search.ts";
import { Dependence } from "../step.ts";
import { PlainAccess, type PlainProgram } from "./plain-program.ts";
import { PlainRun } from "./plain-run.ts";

/** How the schedules of a program are searched. */
export type Algorithm = "optimal" | "source" | "exhaustive";

/** What may be said of a search; the optimal one, to the end, when left out. */
export interface ExploreProgramOptions {
  readonly algorithm?: Algorithm;
  /** Runs after which the search is given up as incomplete. */
  readonly maxExecutions?: number;
}

/** One way in which a program failed. */
export interface ProgramFailure {
  /** What was thrown, or who waits in a deadlock. */
  readonly message: string;
  /** The threads in the order of their steps, by number. */
  readonly schedule: readonly number[];
}

/** What a search found. */
export interface ProgramExploration {
  /** Runs that went to the end: one for each trace, when the search was optimal. */
  readonly executions: number;
  /** Runs that were given up because an equal one had been explored. */
  readonly abandoned: number;
  /** Whether every trace was run. */
  readonly complete: boolean;
  /** Every final state that was reached, once each, ordered by its JSON text. */
  readonly finalStates: readonly unknown[];
  /** Every message once, with the first schedule that led to it. */
  readonly failures: readonly ProgramFailure[];
}

/** Steps of a plain program conflict unless both read, or both add. */
const dependence = new Dependence(
  (one, other) => one !== other || one === PlainAccess.write || one === PlainAccess.lock,
);

/** Runs a plain program under every schedule that makes a difference. */
export function exploreProgram(
  program: PlainProgram,
  { algorithm = "optimal", maxExecutions = Number.POSITIVE_INFINITY }: ExploreProgramOptions = {},
): ProgramExploration {
  const run = new PlainRun(program);
  const search = searchBy(algorithm);
  const states = new Map<string, unknown>();
  const failures = new Map<string, ProgramFailure>();
  let complete = false;
  while (search.executions < maxExecutions) {
    const before = search.executions;
    if (!search.runNext(run)) {
      complete = true;
      break;
    }
    if (search.executions === before) continue;
    const { state, failure, schedule } = run.outcome;
    if (failure === undefined) states.set(JSON.stringify(state) ?? "undefined", state);
    else if (!failures.has(failure)) failures.set(failure, { message: failure, schedule });
  }
  return {
    executions: search.executions,
    abandoned: search.abandoned,
    complete,
    finalStates: [...states.entries()]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, state]) => state),
    failures: [...failures.values()],
  };
}

function searchBy(algorithm: Algorithm): Search {
  switch (algorithm) {
    case "optimal":
      return new OptimalSearch(dependence);
    case "source":
      return new SourceSearch(dependence);
    case "exhaustive":
      return new ExhaustiveSearch(dependence);
  }
}
