import { type GeometryName, stepsConflict } from "@nopage/core";
import { LawRun } from "#src/explore/law-run";
import { minimise } from "#src/explore/minimise";
import { settingOf } from "#src/explore/replay-law";
import { searchBy } from "#src/explore/search-plan";
import { Dependence } from "#src/explore/step";
import type { Law, LawCase } from "#src/laws/law";
import type { Contender } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { selectLaws } from "#src/run/run-laws";
import { allMutants } from "./all-mutants.ts";
import { concurrentBugs } from "./concurrent-bugs.ts";
import type { Mutant, Setup } from "./mutant.ts";

/** What the search of the orders of steps made of one mutant. */
export interface ExploredMutant {
  readonly name: string;
  readonly bug: string;
  /** How it was caught; undefined for one that got away. */
  readonly caught: CaughtMutant | undefined;
  /** Runs of all programs that were searched, the one that caught it last. */
  readonly executions: number;
}

/** A mutant that was caught, and in how few steps that can be shown. */
export interface CaughtMutant {
  readonly law: string;
  /** What tells the program apart from others of its law. */
  readonly when: string;
  readonly contender: string;
  /** Runs of this program up to the one that failed, this one included. */
  readonly executions: number;
  /** Of the failure as it was minimised: its steps, and the switches away from a task that could have gone on. */
  readonly steps: number;
  readonly preemptions: number;
  /** Whether no order with fewer preemptions breaks the law. */
  readonly isFewest: boolean;
  readonly problem: string;
}

/** How hard it is tried. */
export interface ExploreMutantsOptions {
  /** By name or by bug; all that are concurrent where left out. */
  readonly mutants?: readonly string[];
  /** Runs of one program after which the next is tried; where left out, more than any mutant needs. */
  readonly maxExecutions?: number;
}

const MOST_EXECUTIONS = 5000;
/** Runs of each program before the next has its turn: most mutants are caught in the first few runs of some program. */
const TURNS = [20, 200, Number.POSITIVE_INFINITY];
/** Runs that the search for a shorter failure may take. */
const MINIMISING = 5000;
const GEOMETRY: GeometryName = "x86-64";

/** The mutants that two at once are needed for, or that only some orders of the threads' steps show. */
export const concurrentMutants: readonly Mutant[] = allMutants.filter(
  ({ bug, schedule }) => schedule === "racy" || concurrentBugs.has(bug),
);

/**
 * Searches the orders of steps of the programs of the laws that each concurrent mutant names, until one is broken in the
 * words that the mutant names: the complete search, which tries no two orders that come to the same.
 */
export function* explored({
  mutants: wanted,
  maxExecutions = MOST_EXECUTIONS,
}: ExploreMutantsOptions = {}): Generator<ExploredMutant, void, void> {
  for (const mutant of concurrentMutants) {
    if (wanted === undefined || wanted.includes(mutant.name) || wanted.includes(mutant.bug)) {
      yield exploreMutant(mutant, maxExecutions);
    }
  }
}

function exploreMutant({ name, bug, caughtBy, wrong }: Mutant, maxExecutions: number): ExploredMutant {
  const programs = Object.entries(caughtBy).flatMap(([law, sign]) =>
    [...programsOf(law, wrong)].map((program) => new SearchedProgram(law, sign, program)),
  );
  const executions = (): number => programs.reduce((sum, { search }) => sum + search.executions, 0);
  for (const turn of TURNS) {
    for (const program of programs) {
      const schedule = program.searchUpTo(Math.min(turn, maxExecutions));
      if (schedule !== undefined)
        return { name, bug, caught: program.asCaught(schedule), executions: executions() };
    }
  }
  return { name, bug, caught: undefined, executions: executions() };
}

interface Program {
  readonly lawCase: LawCase;
  readonly contender: Contender;
}

/** The programs of a law that apply to a setup, those first of which the order of steps matters. */
function* programsOf(id: string, { contenders, machine }: Setup): Generator<Program, void, void> {
  const [law] = selectLaws([id]).filter((one): one is Law => one.level !== "untested");
  const cases = law?.cases ?? [];
  const racyFirst = ["racy", "sequential"].flatMap((kind) =>
    cases.filter(({ schedule }) => schedule === kind),
  );
  for (const plain of racyFirst) {
    const lawCase = { ...plain, machine: { ...plain.machine, ...machine } };
    for (const contender of contenders) {
      if (!(lawCase.about ?? ["mapping"]).includes(contender.trial)) continue;
      const { stage } = new ModelWorld(contender, { ...lawCase.machine, geometry: GEOMETRY });
      if (lawCase.excluded?.(stage) === undefined) yield { lawCase, contender };
    }
  }
}

/** A program in which a search looks for a failure in the words that a mutant names. */
class SearchedProgram {
  readonly search = searchBy("optimal", new Dependence(stepsConflict));
  readonly #law: string;
  readonly #sign: RegExp;
  readonly #program: Program;
  readonly #run: LawRun;

  constructor(law: string, sign: RegExp, program: Program) {
    this.#law = law;
    this.#sign = sign;
    this.#program = program;
    this.#run = new LawRun(program.lawCase, program.contender, GEOMETRY);
  }

  /** Goes on until there have been so many runs: the schedule of the first that failed, if one did. */
  searchUpTo(maxExecutions: number): readonly number[] | undefined {
    const { search } = this;
    while (!search.isOver && search.executions < maxExecutions) {
      const before = search.executions;
      search.runNext(this.#run);
      const { problems, schedule } = this.#run.outcome;
      if (search.executions > before && this.#isCaught(problems)) return schedule;
    }
    return undefined;
  }

  asCaught(schedule: readonly number[]): CaughtMutant {
    const { lawCase, contender } = this.#program;
    const setting = settingOf(lawCase, contender, GEOMETRY);
    const { replay, preemptions, isFewest } = minimise(setting, schedule, MINIMISING, this.#isCaught);
    return {
      law: this.#law,
      when: lawCase.when,
      contender: contender.name,
      executions: this.search.executions,
      steps: replay.failedAt + 1,
      preemptions,
      isFewest,
      problem: replay.problems.find((problem) => this.#sign.test(problem)) ?? "",
    };
  }

  readonly #isCaught = (problems: readonly string[]): boolean =>
    problems.some((problem) => this.#sign.test(problem));
}
