import type { Search } from "../search.ts";
import { type SearchPlan, searchBy, wholeNumber } from "../search-plan.ts";
import { Dependence } from "../step.ts";
import { canonicalText } from "./canonical-text.ts";
import { PlainAccess, type PlainProgram } from "./plain-program.ts";
import { PlainRun, TooManySteps } from "./plain-run.ts";

/** What may be said of a search; the optimal one, to the end, when left out. */
export interface ExploreProgramOptions {
  readonly algorithm?: SearchPlan;
  /** Runs after which the search is given up as incomplete: 1 or more, as many as there are when left out. */
  readonly maxExecutions?: number;
  /**
   * Steps that a run may take, 10,000 when left out. One that takes more, as where a thread waits in a loop, is a failure
   * and ends the search, which is incomplete.
   */
  readonly maxSteps?: number;
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
  /** What the runs amount to beside their number, in words, for a search that does not promise all: empty for others. */
  readonly coverage: string;
  /**
   * Every final state that was reached, once each, as one of its runs has left it: ordered by its JSON text, keys sorted, as far as
   * JSON can say it.
   */
  readonly finalStates: readonly unknown[];
  /** Every message once, with the first schedule that led to it. */
  readonly failures: readonly ProgramFailure[];
}

/** Steps of a run where nothing else is said. */
const MAX_STEPS = 10_000;

/** Steps of a plain program conflict unless both read, or both add. */
export const plainDependence = new Dependence(
  (one, other) => one !== other || (one !== PlainAccess.read && one !== PlainAccess.add),
);

/**
 * Runs a plain program under every schedule that makes a difference. A thread that throws has failed, and so has a run in
 * which all that are left wait for locks, or whose final judgement throws; the search goes on past failures.
 *
 * @throws RangeError for an algorithm that there is not, and for a number that makes no sense
 * @throws TypeError for a program that answers with no function, a thread that is no generator, or a final state that is
 *   no plain data
 * @throws NotTheSameProgram when a run does something else than an earlier one did under the same order
 */
export function exploreProgram(
  program: PlainProgram,
  { algorithm = "optimal", maxExecutions, maxSteps = MAX_STEPS }: ExploreProgramOptions = {},
): ProgramExploration {
  const most = numberOrAll("maxExecutions", maxExecutions);
  const run = new PlainRun(program, numberOrAll("maxSteps", maxSteps));
  const search = searchBy(algorithm, plainDependence);
  const states = new Map<string, unknown>();
  const failures = new Map<string, ProgramFailure>();
  let isGivenUp = false;
  while (search.executions < most) {
    const before = search.executions;
    const next = runNextOf(search, run);
    if (next instanceof TooManySteps) {
      failures.set(next.message, { message: next.message, schedule: next.schedule });
      isGivenUp = true;
      break;
    }
    if (!next) break;
    if (search.executions === before) continue;
    const { state, failure, schedule } = run.outcome;
    if (failure === undefined) states.set(canonicalText(state, "the final state"), state);
    else if (!failures.has(failure)) failures.set(failure, { message: failure, schedule });
  }
  return {
    executions: search.executions,
    abandoned: search.abandoned,
    complete: !isGivenUp && search.isOver && search.coversAll,
    coverage: search.coverage,
    finalStates: [...states.keys()].sort().map((text) => states.get(text)),
    failures: [...failures.values()],
  };
}

/** Whether there was a run left, or why it was given up. */
function runNextOf(search: Search, run: PlainRun): boolean | TooManySteps {
  try {
    return search.runNext(run);
  } catch (thrown) {
    if (thrown instanceof TooManySteps) return thrown;
    throw thrown;
  }
}

function numberOrAll(name: string, value = Number.POSITIVE_INFINITY): number {
  return value === Number.POSITIVE_INFINITY ? value : wholeNumber(name, value, 1);
}
