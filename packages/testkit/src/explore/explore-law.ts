import { type GeometryName, stepsConflict } from "@nopage/core";
import type { LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { type Counterexample, judgedRuns } from "./judged-runs.ts";
import { LawRun } from "./law-run.ts";
import { type SearchPlan, searchBy } from "./search-plan.ts";
import { Dependence } from "./step.ts";

/** How far a law is explored; to the end, past failures, when left out. */
export interface ExploreLawOptions {
  readonly maxExecutions?: number;
  readonly atFailure?: "stop" | "go-on";
  /** How it is searched; the optimal search when left out. */
  readonly plan?: SearchPlan;
  /** Told after each execution how many there have been. */
  announce?(executions: number): void;
  /**
   * Told of each execution when it has just ended. What a program notes of itself belongs to the execution only then: by the
   * time of `announce` the search may have run it again, and given that up half-way.
   */
  kept?(): void;
  /** Whether to go on: asked after each execution. */
  mayGoOn?(): boolean;
}

/** What the exploration of one program of a law found. */
export interface LawExploration {
  readonly executions: number;
  readonly abandoned: number;
  /** Whether every trace was run. */
  readonly complete: boolean;
  /** Whether everything was run that the plan asks for, which need not be every trace; not when something ended it before. */
  readonly asPlanned: boolean;
  /** What the runs amount to beside their number, in words, for a search that does not promise all: empty for others. */
  readonly coverage: string;
  /** The first schedule for each distinct set of problems. */
  readonly counterexamples: readonly Counterexample[];
}

/**
 * Runs a program of a law under every schedule that makes a difference, or those that the plan says.
 *
 * @throws RangeError for a number in the plan that makes no sense
 */
export function exploreLaw(
  lawCase: LawCase,
  contender: Contender,
  geometry: GeometryName,
  options: ExploreLawOptions = {},
): LawExploration {
  const { maxExecutions = Number.POSITIVE_INFINITY, atFailure = "go-on", plan = "optimal" } = options;
  const run = new LawRun(lawCase, contender, geometry, options.kept);
  const search = searchBy(plan, new Dependence(stepsConflict));
  const counterexamples = judgedRuns(search, run, { budget: maxExecutions, atFailure }, () => {
    options.announce?.(search.executions);
    return options.mayGoOn?.() !== false;
  });
  const { executions, abandoned, coverage, isOver: asPlanned } = search;
  // It may end with the last run that the budget has, or that is looked at.
  const complete = asPlanned && search.coversAll;
  return { executions, abandoned, complete, asPlanned, coverage, counterexamples };
}
