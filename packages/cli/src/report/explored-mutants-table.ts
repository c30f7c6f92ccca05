import type { ExploredMutant } from "@nopage/testkit/mutants";
import Table from "cli-table3";
import pc from "picocolors";
import { bare, GAP, INDENT } from "./side-by-side.ts";
import { count } from "./words.ts";

/** What the search made of each mutant, a line each: which law caught it in how many runs, and how short its failure is. */
export function exploredMutantsTable(mutants: readonly ExploredMutant[]): string {
  const heads = ["bug", "mutant", "law", "executions", "steps", "preemptions"];
  const table = new Table({
    head: heads.map((head) => pc.bold(head)),
    chars: bare,
    colAligns: ["left", "left", "left", "right", "right", "right"],
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  for (const mutant of mutants) table.push(rowOf(mutant));
  const lines = table.toString().split("\n");
  const caught = mutants.filter((mutant) => mutant.caught !== undefined).length;
  const runs = mutants.reduce((sum, { executions }) => sum + executions, 0);
  const unproven = mutants.some((mutant) => mutant.caught?.isFewest === false)
    ? ["  * whether fewer preemptions would do was not found out", ""]
    : [];
  return `${[
    ...lines.map((line) => (INDENT + line).trimEnd()),
    "",
    ...unproven,
    `${caught} of ${mutants.length} concurrent mutants caught, in ${count(runs, "execution")} of their laws' programs`,
  ].join("\n")}\n`;
}

function rowOf({ bug, name, caught, executions }: ExploredMutant): string[] {
  if (caught === undefined) return [bug, name, pc.red("got away"), String(executions), "", ""];
  const { law, steps, preemptions, isFewest } = caught;
  return [bug, name, law, String(caught.executions), String(steps), `${preemptions}${isFewest ? "" : " *"}`];
}
