import type { GeometryName, ViolationKind } from "@nopage/core";
import type { Law } from "#src/laws/law";
import { runCase } from "#src/run/run-case";
import { QUICK_EXECUTIONS } from "#src/run/run-law";
import { selectLaws } from "#src/run/run-laws";
import { allMutants } from "./all-mutants.ts";
import type { Mutant, Setup } from "./mutant.ts";

/** Which mutants are tried, and how hard. */
export interface RunMutantsOptions {
  /** By name or by bug; all where left out. */
  readonly mutants?: readonly string[];
  /** Orders of steps that are tried of each racy program, where a mutant needs a particular one. */
  readonly maxExecutions?: number;
}

/** What became of one mutant. */
export interface MutantResult {
  readonly name: string;
  readonly bug: string;
  /** Whether every law that it names has reported it, in the words that it names, and every sanitizer as well. */
  readonly caught: boolean;
  /** The laws and the sanitizers that caught it. */
  readonly by: readonly string[];
  /** Runs up to the catch by the law that was quickest; 0 where it got away. */
  readonly executions: number;
}

/** What a law had to say of a setup. */
export interface Verdict {
  readonly law: string;
  /** What was reported; nothing where the law holds. */
  readonly problems: readonly string[];
  readonly executions: number;
  /** Programs that were run; 0 where none applies. */
  readonly runs: number;
}

/** Orders of steps that are tried where nothing else is said. */
export const MUTANT_EXECUTIONS = 200;

const GEOMETRY: GeometryName = "x86-64";

/** Tries every mutant on the laws that it names. */
export function runMutants(options: RunMutantsOptions = {}): { readonly mutants: readonly MutantResult[] } {
  return { mutants: [...mutantResults(options)] };
}

/**
 * The same, one after the other.
 *
 * @throws RangeError for a name that no mutant has
 */
export function* mutantResults({
  mutants: wanted,
  maxExecutions = MUTANT_EXECUTIONS,
}: RunMutantsOptions = {}): Generator<MutantResult, void, void> {
  const unknown = wanted?.find((name) => !allMutants.some((mutant) => isNamed(mutant, name)));
  if (unknown !== undefined) {
    const names = allMutants.map(({ name }) => JSON.stringify(name)).join(", ");
    throw new RangeError(`there is no mutant ${JSON.stringify(unknown)}; the mutants are ${names}`);
  }
  for (const mutant of allMutants) {
    if (wanted === undefined || wanted.some((name) => isNamed(mutant, name))) {
      yield tryMutant(mutant, maxExecutions);
    }
  }
}

function isNamed({ name, bug }: Mutant, wanted: string): boolean {
  return name === wanted || bug === wanted;
}

function tryMutant(mutant: Mutant, most: number): MutantResult {
  const { name, bug, caughtBy, sanitizers = [], schedule } = mutant;
  const maxExecutions = schedule === "racy" ? most : Math.min(most, QUICK_EXECUTIONS);
  const by: string[] = [];
  let executions = 0;
  const words: string[] = [];
  for (const [law, sign] of Object.entries(caughtBy)) {
    const verdict = judge(mutant.wrong, law, maxExecutions, sign);
    words.push(...verdict.problems);
    if (!verdict.problems.some((problem) => sign.test(problem))) continue;
    by.push(law);
    executions = executions === 0 ? verdict.executions : Math.min(executions, verdict.executions);
  }
  by.push(...sanitizers.filter((kind) => words.some((problem) => isReportOf(kind, problem))));
  const caught = by.length > 0 && by.length === Object.keys(caughtBy).length + sanitizers.length;
  return { name, bug, caught, by, executions };
}

/** Whether a problem is what a checker of one kind has reported. */
export function isReportOf(kind: ViolationKind, problem: string): boolean {
  if (kind === "deadlock") return problem.includes("deadlock: ");
  if (kind === "lost-wake-up") return problem.includes("but nobody woke it");
  if (kind === "hung-task") return problem.includes("it goes on for ever");
  return problem.includes(`${kind} by `) || (kind === "leak" && problem.includes("leak: "));
}

/**
 * Holds a setup to one law.
 *
 * @param until stops at the first program of which a report has these words; all programs are run where left out
 * @throws RangeError for a law that is not there or that nothing can show
 */
export function judge(setup: Setup, id: string, maxExecutions: number, until?: RegExp): Verdict {
  const problems: string[] = [];
  let executions = 0;
  let runs = 0;
  for (const lawCase of lawOf(id).cases) {
    const machine = { ...lawCase.machine, ...setup.machine };
    for (const contender of setup.contenders) {
      const end = runCase({ ...lawCase, machine }, contender, GEOMETRY, maxExecutions);
      if (end.kind === "excluded") continue;
      runs++;
      executions += 1 + (end.explored?.executions ?? 0);
      problems.push(...end.problems);
      if (until !== undefined && end.problems.some((problem) => until.test(problem))) {
        return { law: id, problems, executions, runs };
      }
    }
  }
  return { law: id, problems, executions, runs };
}

function lawOf(id: string): Law {
  const [law] = selectLaws([id]);
  if (law === undefined || law.level === "untested") {
    throw new RangeError(`there is no law ${JSON.stringify(id)} that can be run`);
  }
  return law;
}
