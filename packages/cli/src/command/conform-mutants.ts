import { selectLaws } from "@nopage/testkit/conform";
import { allMutants, type MutantResult, mutantResults } from "@nopage/testkit/mutants";
import { checkMutants } from "../conform/check-conform.ts";
import { UsageError } from "../usage-error.ts";
import type { ConformFlags } from "./conform.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** `nopage conform --mutants`: tries the laws themselves on wrong plugins, drivers and cores, each of which must be caught. */
export function conformMutants(flags: ConformFlags, format: "table" | "json", output: Output): ExitCode {
  const wanted = mutantsOf(flags.law);
  const problems = checkMutants(flags, wanted.length);
  if (problems.length > 0) throw new UsageError(problems);
  const mutants: MutantResult[] = [];
  for (const result of mutantResults({ mutants: wanted })) {
    mutants.push(result);
    output.progress(`mutant ${mutants.length} of ${wanted.length}: ${result.name}`);
  }
  output.progress(undefined);
  output.print(format === "json" ? JSON.stringify({ mutants }, undefined, 2) : scoreboard(mutants));
  return mutants.every(({ caught }) => caught) ? exitCodes.holds : exitCodes.broken;
}

/** The names of the mutants that one of these laws or families is there to catch; of all where none is given. */
function mutantsOf(laws: readonly string[] | undefined): readonly string[] {
  const ids = new Set(selectLaws(laws).map(({ id }) => id));
  const wanted = allMutants.filter(({ caughtBy }) => Object.keys(caughtBy).some((id) => ids.has(id)));
  return wanted.map(({ name }) => name);
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
