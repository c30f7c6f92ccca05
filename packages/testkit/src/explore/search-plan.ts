import { boundInWords, drawnInWords, givenUpInWords, tracesInWords } from "./coverage-words.ts";
import { ExhaustiveSearch } from "./exhaustive-search.ts";
import { OptimalSearch } from "./optimal-search.ts";
import { PreemptionSearch } from "./preemption-search.ts";
import { PrioritySearch } from "./priority-search.ts";
import { RandomSearch } from "./random-search.ts";
import type { Explorable, Search } from "./search.ts";
import { SourceSearch } from "./source-search.ts";
import type { Dependence } from "./step.ts";

/**
 * How the schedules of a program are searched.
 *
 * - `optimal`: one run for each trace; schedules that differ in the order of independent steps only are one trace
 * - `source`: the same by source sets, which gives up some runs in the middle
 * - `exhaustive`: every schedule
 * - `preemptions`: every schedule with at most so many switches away from a task that could have gone on, those with
 *   the fewest first
 * - `random`: so many runs in which chance decides at every step
 * - `pct`: so many runs by random priorities, for bugs of a `depth` of so many ordered pairs of steps (2 when left out; from 1 to 1000)
 *
 * Random runs are the same for the same `seed`, which is an int32, 1 when left out.
 */
export type SearchPlan =
  | "optimal"
  | "source"
  | "exhaustive"
  | { readonly preemptions: number }
  | { readonly random: number; readonly seed?: number }
  | { readonly pct: number; readonly depth?: number; readonly seed?: number };

/** A search that can say how much it has covered. */
export interface PlannedSearch extends Search {
  /** Whether all there is was run, once it is over. */
  readonly coversAll: boolean;
  /** What the runs so far amount to, beside their number: a phrase, empty where there is nothing to add. */
  readonly coverage: string;
}

/**
 * The search that a plan asks for.
 *
 * @throws RangeError for a number that makes no sense
 */
export function searchBy(plan: SearchPlan, dependence: Dependence): PlannedSearch {
  if (typeof plan === "string") {
    const search = inFull(plan, dependence);
    const givenUp = () => (plan === "optimal" ? search.abandoned : 0);
    return new Planned(
      search,
      () => givenUp() === 0,
      () => givenUpInWords(givenUp()),
    );
  }
  if ("preemptions" in plan) {
    const most = wholeNumber("preemptions", plan.preemptions, 0);
    const search = new PreemptionSearch(most, dependence);
    return new Planned(
      search,
      () => search.isExhausted,
      () => tracesInWords(search.traces),
    );
  }
  const seed = seedIn(plan);
  if ("random" in plan) {
    const search = new RandomSearch(wholeNumber("random", plan.random, 1), seed);
    return new Planned(
      search,
      () => false,
      () => drawnInWords(seed),
    );
  }
  if (!("pct" in plan)) throw noSuchPlan(plan);
  const depth = depthIn(plan);
  const search = new PrioritySearch(wholeNumber("pct", plan.pct, 1), depth, seed);
  return new Planned(
    search,
    () => false,
    () => boundInWords(search.bound, { executions: search.executions, depth, seed }),
  );
}

function inFull(plan: "optimal" | "source" | "exhaustive", dependence: Dependence): Search {
  switch (plan) {
    case "optimal":
      return new OptimalSearch(dependence);
    case "source":
      return new SourceSearch(dependence);
    case "exhaustive":
      return new ExhaustiveSearch(dependence);
    default:
      throw noSuchPlan(plan);
  }
}

/** A search with what it says of itself. */
class Planned implements PlannedSearch {
  readonly #search: Search;
  readonly #coversAll: () => boolean;
  readonly #coverage: () => string;

  constructor(search: Search, coversAll: () => boolean, coverage: () => string) {
    this.#search = search;
    this.#coversAll = coversAll;
    this.#coverage = coverage;
  }

  get executions(): number {
    return this.#search.executions;
  }

  get abandoned(): number {
    return this.#search.abandoned;
  }

  get isOver(): boolean {
    return this.#search.isOver;
  }

  get coversAll(): boolean {
    return this.#coversAll();
  }

  get coverage(): string {
    return this.#coverage();
  }

  runNext(program: Explorable): boolean {
    return this.#search.runNext(program);
  }
}

/**
 * @param name what a report calls it
 * @throws RangeError for all but whole numbers from `least` on, up to `most`
 */
export function wholeNumber(
  name: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const end = most === Number.MAX_SAFE_INTEGER ? "on" : `to ${most}`;
  const nearest = Number.isFinite(value) ? Math.min(most, Math.max(least, Math.round(value))) : least;
  throw new RangeError(
    `${name} is ${value}; expected a whole number from ${least} ${end}, nearest is ${nearest}`,
  );
}

/** The seed of a plan, an int32. */
export function seedIn({ seed = 1 }: { readonly seed?: number }): number {
  return wholeNumber("seed", seed, -(2 ** 31), 2 ** 31 - 1);
}

/** Further pairs of steps in order than any program needs. */
const DEEPEST = 1000;

/** The depth of failures that a plan looks for. */
export function depthIn({ depth = 2 }: { readonly depth?: number }): number {
  return wholeNumber("depth", depth, 1, DEEPEST);
}

/** For callers whose language does not check it. */
function noSuchPlan(plan: never): RangeError {
  const expected = "optimal, source, exhaustive, or an object with preemptions, random or pct";
  return new RangeError(`the algorithm is ${JSON.stringify(plan)}; expected ${expected}; nearest is optimal`);
}
