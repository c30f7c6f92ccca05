import Table from "cli-table3";
import pc from "picocolors";
import type { ToldMutant } from "../explore/told-mutant.ts";
import { bare, GAP, INDENT } from "./side-by-side.ts";
import { count } from "./words.ts";

/** What the search made of each mutant, a line each: which law caught it, whether in a race, in how many runs, and how short its failure is. */
export function exploredMutantsTable(mutants: readonly ToldMutant[]): string {
  const heads = ["bug", "mutant", "law", "race", "executions", "steps", "preemptions"];
  const table = new Table({
    head: heads.map((head) => pc.bold(head)),
    chars: bare,
    colAligns: ["left", "left", "left", "left", "right", "right", "right"],
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  for (const mutant of mutants) table.push(rowOf(mutant));
  const lines = table.toString().split("\n");
  const caught = mutants.flatMap((mutant) => mutant.caught ?? []);
  const inRace = caught.filter(({ schedule }) => schedule === "racy").length;
  const runs = mutants.reduce((sum, { executions }) => sum + executions, 0);
  const unproven = mutants.some((mutant) => mutant.caught?.isFewest === false)
    ? ["  * whether fewer preemptions would do was not found out", ""]
    : [];
  return `${[
    ...lines.map((line) => (INDENT + line).trimEnd()),
    "",
    ...unproven,
    `${caught.length} of ${mutants.length} concurrent mutants caught, in ${count(runs, "execution")} of their laws' programs: ${inRace} in a race, ${caught.length - inRace} by a program in which nobody races`,
  ].join("\n")}\n`;
}

function rowOf({ bug, name, caught, executions }: ToldMutant): string[] {
  if (caught === undefined) return [bug, name, pc.red("got away"), "", String(executions), "", ""];
  const { law, schedule, steps, preemptions, isFewest } = caught;
  const race = schedule === "racy" ? "yes" : "no";
  const numbers = [String(caught.executions), String(steps), `${preemptions}${isFewest ? "" : " *"}`];
  return [bug, name, law, race, ...numbers];
}
