import type { Machine } from "@nopage/core";
import { type Stock, takeStock } from "./stock.ts";

/**
 * Runs everything that was spawned to its end, and sees to it that nothing is left over.
 *
 * @param before the stock that must be there again
 * @throws what a program threw; or an Error that lists what was wrong: a run that did not finish, violations, leaks
 */
export function runPrograms(machine: Machine, before: Stock): void {
  const { sched, violations } = machine;
  const { status, waiting } = sched.run();
  for (const { failure } of sched.tasks) if (failure !== undefined) throw failure;
  const problems = violations.list.map(({ kind, task, message }) => `${kind} by ${task}: ${message}`);
  if (status !== "finished") problems.push(`${status}: ${waiting.join("; ")}`);
  else problems.push(...differences(before, takeStock(machine)));
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

function differences(before: Stock, after: Stock): readonly string[] {
  return (Object.keys(before) as (keyof Stock)[])
    .filter((what) => before[what] !== after[what])
    .map((what) => `${what} was ${before[what]} and is ${after[what]}`);
}
