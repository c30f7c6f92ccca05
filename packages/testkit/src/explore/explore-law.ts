import { type GeometryName, stepsConflict } from "@nopage/core";
import type { LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { LawRun } from "./law-run.ts";
import { OptimalSearch } from "./optimal-search.ts";
import { Dependence } from "./step.ts";

/** How far a law is explored; to the end, past failures, when left out. */
export interface ExploreLawOptions {
  readonly maxExecutions?: number;
  readonly atFailure?: "stop" | "go-on";
}

/** A schedule under which a law is broken. */
export interface Counterexample {
  readonly problems: readonly string[];
  /** The tasks in the order of their steps, by number. */
  readonly schedule: readonly number[];
}

/** What the exploration of one program of a law found. */
export interface LawExploration {
  readonly executions: number;
  readonly abandoned: number;
  /** Whether every trace was run. */
  readonly complete: boolean;
  /** The first schedule for each distinct set of problems. */
  readonly counterexamples: readonly Counterexample[];
}

/** Runs a program of a law under every schedule that makes a difference. */
export function exploreLaw(
  lawCase: LawCase,
  contender: Contender,
  geometry: GeometryName,
  { maxExecutions = Number.POSITIVE_INFINITY, atFailure = "go-on" }: ExploreLawOptions = {},
): LawExploration {
  const run = new LawRun(lawCase, contender, geometry);
  const search = new OptimalSearch(new Dependence(stepsConflict));
  const found = new Map<string, Counterexample>();
  let complete = false;
  while (search.executions < maxExecutions) {
    const before = search.executions;
    if (!search.runNext(run)) {
      complete = true;
      break;
    }
    const { problems, schedule } = run.outcome;
    if (search.executions === before || problems.length === 0) continue;
    const key = problems.join("\n");
    if (!found.has(key)) found.set(key, { problems, schedule });
    if (atFailure === "stop") break;
  }
  const { executions, abandoned } = search;
  return { executions, abandoned, complete, counterexamples: [...found.values()] };
}
