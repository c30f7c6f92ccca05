import type { Problem } from "@nopage/core/wiring";
import { selectLaws } from "@nopage/testkit/conform";
import { concurrentMutants, explored } from "@nopage/testkit/mutants";
import { checkLaw } from "../conform/check-conform.ts";
import { flagOf } from "../explore/explore-flags.ts";
import { type ToldMutant, toldMutant } from "../explore/told-mutant.ts";
import { exploredMutantsTable } from "../report/explored-mutants-table.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { ExploreFlags } from "./explore.ts";
import type { Output } from "./output.ts";

/** `nopage explore --mutants`: searches the orders of steps for what each concurrent mutant does wrong. */
export function exploreMutants(
  words: readonly string[],
  { law, ...flags }: ExploreFlags,
  format: "table" | "json",
  output: Output,
): ExitCode {
  const wanted = mutantsOf(law);
  const problems = checkFlags(words, law ?? [], flags, wanted.length);
  if (problems.length > 0) throw new UsageError(problems);
  const mutants: ToldMutant[] = [];
  for (const result of explored({ mutants: wanted })) {
    mutants.push(toldMutant(result));
    output.progress(`mutant ${mutants.length} of ${wanted.length}: ${result.name}`);
  }
  output.progress(undefined);
  output.print(
    format === "json" ? `${JSON.stringify({ mutants }, undefined, 2)}\n` : exploredMutantsTable(mutants),
  );
  return mutants.every(({ caught }) => caught !== undefined) ? exitCodes.holds : exitCodes.broken;
}

/** The names of the concurrent mutants that one of these laws or families is there to catch; of all where none is given. */
function mutantsOf(laws: readonly string[] | undefined): readonly string[] {
  const ids = new Set(selectLaws(laws).map(({ id }) => id));
  return concurrentMutants
    .filter(({ caughtBy }) => Object.keys(caughtBy).some((id) => ids.has(id)))
    .map(({ name }) => name);
}

/** What `--mutants` cannot have beside it, and laws that it has nothing for. */
function checkFlags(
  words: readonly string[],
  laws: readonly string[],
  flags: Omit<ExploreFlags, "law">,
  mutants: number,
): readonly Problem[] {
  const expected =
    "no --mutants beside it: each mutant is searched as far as it needs, by itself or with --law";
  const problems: Problem[] = [
    ...words.map((value) => ({ path: "nopage explore", value, expected, nearest: undefined })),
    ...Object.entries(flags)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): Problem => ({ path: flagOf(name), value, expected, nearest: undefined })),
  ];
  const unknown = laws.flatMap(checkLaw);
  problems.push(...unknown);
  if (unknown.length === 0 && mutants === 0) {
    const some = "a law that some concurrent mutant breaks";
    problems.push({ path: "--law", value: laws.join(" "), expected: some, nearest: undefined });
  }
  return problems;
}
