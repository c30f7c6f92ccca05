import { allMutants, type MutantResult, mutantResults } from "@nopage/testkit/mutants";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** `nopage conform --mutants`: tries the laws themselves on wrong plugins, drivers and cores, each of which must be caught. */
export function conformMutants(format: "table" | "json", output: Output): ExitCode {
  const mutants: MutantResult[] = [];
  for (const result of mutantResults()) {
    mutants.push(result);
    output.progress(`mutant ${mutants.length} of ${allMutants.length}: ${result.name}`);
  }
  output.progress(undefined);
  output.print(format === "json" ? JSON.stringify({ mutants }, undefined, 2) : scoreboard(mutants));
  return mutants.every(({ caught }) => caught) ? exitCodes.holds : exitCodes.broken;
}

function scoreboard(mutants: readonly MutantResult[]): string {
  const lines = mutants.map(({ name, bug, caught, by, executions }) => {
    const runs = `${executions} ${executions === 1 ? "run" : "runs"}`;
    return caught
      ? `caught   ${bug.padEnd(6)}  ${name}: ${by.join(", ")} (${runs})`
      : `got away ${bug.padEnd(6)}  ${name}`;
  });
  const caught = mutants.filter((mutant) => mutant.caught).length;
  return [...lines, "", `${caught} of ${mutants.length} mutants caught`].join("\n");
}
