import type { LawRun } from "./law-run.ts";
import { PreemptionSearch } from "./preemption-search.ts";

/** What the search for failures with few preemptions found. */
export interface Fewest {
  /** Schedules that fail with the same number of preemptions; none where nothing was found. */
  readonly schedules: readonly (readonly number[])[];
  /** All schedules with fewer preemptions than this were run, and none of them fails. */
  readonly proven: number;
  readonly executions: number;
}

/** After the first failure, further ones with as many preemptions are looked for: so many, in so many runs. */
const MOST_FAILURES = 10;
const FURTHER_RUNS = 50;

/**
 * Looks for failures of a program with the fewest preemptions, in an order that does not depend on how one was found
 * before: it always finds the same.
 *
 * @param most preemptions, at most
 */
export function fewestPreemptions(
  run: LawRun,
  most: number,
  maxExecutions: number,
  fails: (problems: readonly string[]) => boolean,
): Fewest {
  const search = new PreemptionSearch(most);
  const schedules: (readonly number[])[] = [];
  let [proven, end] = [0, maxExecutions];
  while (search.executions < end && schedules.length < MOST_FAILURES) {
    if (!search.runNext(run)) {
      if (schedules.length === 0) proven = most + 1;
      break;
    }
    if (schedules.length > 0 && search.preemptions > proven) break;
    proven = search.preemptions;
    const { problems, schedule } = run.outcome;
    if (!fails(problems)) continue;
    if (schedules.length === 0) end = search.executions + FURTHER_RUNS;
    schedules.push(schedule);
  }
  return { schedules, proven, executions: search.executions };
}
