import pc from "picocolors";
import type { Explored } from "../command/explore.ts";
import { laneDiagram } from "./lane-diagram.ts";
import { leftOutInWords } from "./left-out-words.ts";
import { count, rounded } from "./words.ts";

/** What an exploration came to: a line for each program of a law, and the first failure in full. */
export function exploreReport(
  results: readonly Explored[],
  plugin: string,
  format: "table" | "json",
  width: number | undefined,
): string {
  if (format === "json") return `${JSON.stringify({ plugin, results: results.map(asData) }, null, 2)}\n`;
  if (results.length === 0)
    return "None of these laws has a program of which the order of steps matters here.\n";
  const lines = results.map(lineOf);
  const first = results.find(({ minimised }) => minimised !== undefined);
  return `${[...lines, ...(first === undefined ? [] : ["", ...failureInFull(first, width)])].join("\n")}\n`;
}

function lineOf({ program, found, minimised }: Explored): string {
  const { law, lawCase, contender } = program;
  const { executions, complete, asPlanned, coverage, remaining = 0 } = found;
  const name = `${law}${lawCase.when === "" ? "" : `, ${lawCase.when}`}, on ${contender.name}`;
  const runs = count(executions, "execution");
  if (minimised !== undefined)
    return `${pc.red("broken")}  ${name}: in execution ${executions.toLocaleString("en-US")}`;
  if (complete) return `${pc.green("holds")}   ${name}: ${runs}, complete`;
  if (executions === 0) return `${pc.yellow("open")}    ${name}: there was no time for it`;
  if (asPlanned)
    return `${pc.yellow("open")}    ${name}: not broken in ${runs}, which is all that was asked for; ${coverage}`;
  if (coverage !== "" && remaining > 0)
    return `${pc.yellow("open")}    ${name}: not broken in ${runs}, and ${remaining.toLocaleString("en-US")} more were asked for; ${coverage}`;
  const more = remaining > 0 ? `, about ${rounded(remaining)} by what was seen` : "";
  return `${pc.yellow("open")}    ${name}: not broken in ${runs}, and there are more${more}${coverage === "" ? "" : `; ${coverage}`}`;
}

function failureInFull({ program, minimised }: Explored, width: number | undefined): readonly string[] {
  if (minimised === undefined) return [];
  const { replay, preemptions, isFewest, met } = minimised;
  const [problem = ""] = replay.problems;
  const fewest = isFewest ? ", and no order with fewer breaks it" : "";
  const steps = count(replay.failedAt + 1, "step");
  return [
    `${program.law}, on ${program.contender.name}: ${problem}`,
    `  after ${steps} with ${count(preemptions, "preemption")}${fewest}`,
    ...leftOutInWords(minimised.leftOut),
    ...(met === undefined ? [] : ["  >> the two steps that met: the other way round, the law holds"]),
    "",
    laneDiagram(replay, met, width).trimEnd(),
  ];
}

function asData({ program, found, minimised }: Explored) {
  const { executions, abandoned, complete, asPlanned, coverage, remaining } = found;
  const verdict = verdictOf({ program, found, minimised });
  return {
    law: program.law,
    when: program.lawCase.when,
    contender: program.contender.name,
    verdict,
    executions,
    abandoned,
    complete,
    asPlanned,
    coverage,
    remaining: verdict === "open" ? remaining : undefined,
    problems: minimised?.replay.problems ?? [],
    preemptions: minimised?.preemptions,
    isFewest: minimised?.isFewest,
    leftOut: minimised?.leftOut,
    steps: minimised === undefined ? undefined : minimised.replay.failedAt + 1,
  };
}

function verdictOf({ found, minimised }: Explored): "holds" | "broken" | "open" {
  if (minimised !== undefined) return "broken";
  return found.complete ? "holds" : "open";
}
