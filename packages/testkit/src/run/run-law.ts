import type { GeometryName } from "@nopage/core";
import type { AnyLaw } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import type { LawStanding } from "./results.ts";
import { runCase } from "./run-case.ts";

/** Orders of steps in which each racy program is run where nothing else is said: a sample, for a suite that is quick. */
export const QUICK_EXECUTIONS = 5;

/**
 * Runs every program of a law on every kind of memory given, each in a world of its own.
 *
 * @param maxExecutions orders of steps that are tried of each racy program on each kind of memory
 */
export function runLaw(
  law: AnyLaw,
  tried: readonly Contender[],
  geometry: GeometryName,
  maxExecutions: number = QUICK_EXECUTIONS,
): LawStanding {
  if (law.level === "untested") return { status: "untested", reason: law.reason, explored: "" };
  const exclusions = new Set<string>();
  const problems: string[] = [];
  let runs = 0;
  let executions = 0;
  let isComplete = true;
  for (const lawCase of law.cases) {
    for (const on of tried) {
      const end = runCase(lawCase, on, geometry, maxExecutions);
      if (end.kind === "excluded") {
        exclusions.add(end.why);
        continue;
      }
      runs++;
      problems.push(...end.problems);
      executions += end.explored?.executions ?? 0;
      isComplete &&= end.explored?.complete ?? true;
    }
  }
  const explored = executions === 0 ? "" : inWords(executions, isComplete);
  if (problems.length > 0) return { status: "fail", reason: [...new Set(problems)].join("\n"), explored };
  if (runs > 0) return { status: "pass", reason: "", explored };
  return { status: "skip", reason: [...exclusions].join("; ") || "no case of it applies", explored };
}

function inWords(executions: number, isComplete: boolean): string {
  const orders = `${executions} ${executions === 1 ? "order" : "orders"} of steps`;
  return isComplete ? `${orders}, which are all` : `${orders}, and there are more`;
}
