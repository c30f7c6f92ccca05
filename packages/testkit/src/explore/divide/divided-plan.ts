import { depthIn, type SearchPlan, seedIn, wholeNumber } from "../search-plan.ts";
import type { Dependence } from "../step.ts";
import type { Division } from "./division.ts";
import { ForksCourse, type ForksCourseData } from "./forks-course.ts";
import type { PartKind } from "./part-kinds.ts";
import { Rounds, type RoundsData } from "./rounds.ts";
import { RunsCourse, type RunsCourseData } from "./runs-course.ts";
import { TreeCourse, type TreeCourseData } from "./tree-course.ts";

/** The searches that can be made in parts. */
export type DividedPlan = Exclude<SearchPlan, "source" | "exhaustive">;

/**
 * Leads the search that a plan asks for.
 *
 * @param saved what was left of a search by the same plan
 * @param lead is given the search
 * @throws RangeError for a number in the plan that makes no sense
 */
export function dividedBy<T>(
  plan: DividedPlan,
  dependence: Dependence,
  saved: RoundsData | undefined,
  division: Division | undefined,
  lead: <K extends PartKind>(rounds: Rounds<K>) => T,
): T {
  // What was saved by a plan is the data of that plan's course.
  const course = saved?.course;
  if (plan === "optimal") {
    return lead(
      new Rounds(new TreeCourse(dependence, course as TreeCourseData | undefined, division), saved),
    );
  }
  if ("preemptions" in plan) {
    const most = wholeNumber("preemptions", plan.preemptions, 0);
    return lead(new Rounds(new ForksCourse(most, course as ForksCourseData | undefined, division), saved));
  }
  const seed = seedIn(plan);
  const drawn =
    "random" in plan
      ? { runs: wholeNumber("random", plan.random, 1), seed, depth: undefined }
      : { runs: wholeNumber("pct", plan.pct, 1), seed, depth: depthIn(plan) };
  return lead(new Rounds(new RunsCourse(drawn, course as RunsCourseData | undefined, division), saved));
}
