import type { GeometryName } from "@nopage/core";
import type { AnyLaw } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import type { LawStanding } from "./results.ts";
import { type CaseEnd, runCase } from "./run-case.ts";
import type { Orders } from "./try-orders.ts";

/** Orders of steps in which each racy program is run where nothing else is said: a sample, for a suite that is quick. */
export const QUICK_EXECUTIONS = 5;

/**
 * Runs every program of a law on every kind of memory given, or on one where that is enough, each in a world of its own.
 *
 * @param maxExecutions orders of steps that are tried of each racy program on each kind of memory
 * @param sequentialExecutions the same for other programs that start threads, of which no order may make a difference, on one
 *   kind of memory
 */
export function runLaw(
  law: AnyLaw,
  tried: readonly Contender[],
  geometry: GeometryName,
  maxExecutions: number = QUICK_EXECUTIONS,
  sequentialExecutions = 1,
): LawStanding {
  if (law.level === "untested") return { status: "untested", reason: law.reason, explored: "" };
  const ends: CaseEnd[] = [];
  const executions = { search: 0, random: 0 };
  let isComplete = true;
  for (const lawCase of law.cases) {
    let sequential = sequentialExecutions;
    for (const on of tried) {
      const most = Math.max(maxExecutions, lawCase.orders ?? 0);
      const end = runCase(lawCase, on, geometry, most, sequential);
      ends.push(end);
      if (end.kind === "excluded") continue;
      sequential = 1;
      if (end.explored !== undefined) {
        executions[end.explored.method] += end.explored.executions;
        isComplete &&= end.explored.complete;
      }
      if (lawCase.kinds === "one") break;
    }
  }
  return { ...standingOf(ends), explored: inWords(executions, isComplete) };
}

/** How a law stands of which these programs were tried, whoever executed them. */
export function standingOf(ends: readonly CaseEnd[]): Pick<LawStanding, "status" | "reason"> {
  const problems = ends.flatMap((end) => (end.kind === "run" ? end.problems : []));
  if (problems.length > 0) return { status: "fail", reason: [...new Set(problems)].join("\n") };
  if (ends.some(({ kind }) => kind === "run")) return { status: "pass", reason: "" };
  const exclusions = ends.flatMap((end) => (end.kind === "excluded" ? [end.why] : []));
  return { status: "skip", reason: [...new Set(exclusions)].join("; ") || "no case of it applies" };
}

/** How many orders were tried, by how they were found; empty for none. */
function inWords(
  { search, random }: Readonly<Record<Orders["method"], number>>,
  isComplete: boolean,
): string {
  const parts: string[] = [];
  if (search > 0) parts.push(`${search} ${search === 1 ? "order" : "orders"} of steps`);
  if (random > 0) parts.push(`${random} random ${random === 1 ? "order" : "orders"}`);
  if (parts.length === 0) return "";
  return `${parts.join(" and ")}, ${isComplete ? "which are all" : "and there are more"}`;
}
