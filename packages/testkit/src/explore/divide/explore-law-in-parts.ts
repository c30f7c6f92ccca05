import { type GeometryName, stepsConflict } from "@nopage/core";
import type { Plugin } from "../../model/contender.ts";
import { selectLaws } from "../../run/run-laws.ts";
import type { LawExploration } from "../explore-law.ts";
import { LawRun } from "../law-run.ts";
import { type RacyProgram, racyProgramsOf } from "../racy-programs.ts";
import { Dependence } from "../step.ts";
import { conduct } from "./conduct.ts";
import { type DividedPlan, dividedBy } from "./divided-plan.ts";
import type { Division } from "./division.ts";
import { explorePart } from "./explore-part.ts";
import type { PartAnswer, PartKind, PartProgress, PartTask } from "./part-kinds.ts";
import type { Rounds, RoundsData } from "./rounds.ts";

/** What tells a law's program on a contender from others, as plain data: with the plugin's code all there is to know of it. */
export interface LawProgramName {
  readonly law: string;
  /** The position of the program among those of its law. */
  readonly program: number;
  /** The plugin and its situation, such as `lazy-nopage on page-array`. */
  readonly contender: string;
  readonly geometry: GeometryName;
}

/** How a program of a law is explored in parts. */
export interface ExploreInPartsOptions {
  /** How it is searched; the optimal search when left out. */
  readonly plan?: DividedPlan;
  /** Runs that may be made now; as many as there are when left out. */
  readonly maxExecutions?: number;
  readonly atFailure?: "stop" | "go-on";
  /** What an earlier exploration by the same plan has left. */
  readonly saved?: RoundsData;
  /** Numbers that change nothing in what is found. */
  readonly division?: Division;
  /** Parts that are explored at the same time; 1 when left out. */
  readonly width?: number;
  /** Explores a part elsewhere, as `LawParts` does, or by the function that it is given; only so when left out. */
  explore?<K extends PartKind>(
    task: PartTask<K>,
    here: (task: PartTask<K>) => PartAnswer<K>,
  ): Promise<PartAnswer<K>>;
  /** Whether to go on: asked after each run here, and before each part. */
  mayGoOn?(): boolean;
  /** Told whenever parts have been answered for, and now and then while one is explored here, with what there is to save. */
  announce?(progress: PartsProgress, saved: () => RoundsData): void;
}

/** How far an exploration in parts has come. */
export interface PartsProgress {
  readonly executions: number;
  /** Runs still to be made, by what was seen so far; undefined where there is no telling. */
  readonly remaining: number | undefined;
}

/** What an exploration in parts has found so far, and all that it takes to go on with it. */
export interface ExplorationInParts extends LawExploration, PartsProgress {
  readonly saved: RoundsData;
}

const dependence = new Dependence(stepsConflict);

/** One program of a law, of which parts of the search can be explored. */
export class LawParts {
  readonly #run: LawRun;

  constructor({ lawCase, contender }: Pick<RacyProgram, "lawCase" | "contender">, geometry: GeometryName) {
    this.#run = new LawRun(lawCase, contender, geometry);
  }

  /**
   * Explores a part.
   *
   * @param mayGoOn is asked after each run
   */
  explore<K extends PartKind>(
    task: PartTask<K>,
    mayGoOn?: (progress: PartProgress) => boolean,
  ): PartAnswer<K> {
    return explorePart<K>(task, this.#run, dependence, mayGoOn);
  }
}

/** The program of a plugin that a name stands for; undefined where the plugin or the laws have no such program. */
export function programNamed(name: LawProgramName, plugin: Plugin): RacyProgram | undefined {
  return racyProgramsOf(selectLaws([name.law]), plugin, name.geometry).find(
    ({ index, contender }) => index === name.program && contender.name === name.contender,
  );
}

/** The name of a program, under which it is found again. */
export function nameOfProgram(
  { law, index, contender }: RacyProgram,
  geometry: GeometryName,
): LawProgramName {
  return { law, program: index, contender: contender.name, geometry };
}

/**
 * Runs a program of a law under every schedule that makes a difference, once each, or under those that the plan asks for, in
 * parts that may be explored at the same time and elsewhere. What is found is the same, with the same schedules, whoever
 * explores them and how many at a time, and however often the search is left off and gone on with. `mayGoOn` says only when
 * it is left off.
 *
 * @throws NotTheSameProgram when a part finds the program to be another than the one it was made from
 * @throws RangeError for a number in the plan that makes no sense
 */
export async function exploreLawInParts(
  program: Pick<RacyProgram, "lawCase" | "contender">,
  geometry: GeometryName,
  options: ExploreInPartsOptions = {},
): Promise<ExplorationInParts> {
  const { plan = "optimal", saved, division } = options;
  const here = new LawParts(program, geometry);
  return await dividedBy(plan, dependence, saved, division, (rounds) => lead(rounds, here, options));
}

/** Goes on with a search in parts as far as it may. */
async function lead<K extends PartKind>(
  rounds: Rounds<K>,
  here: LawParts,
  options: ExploreInPartsOptions,
): Promise<ExplorationInParts> {
  const { maxExecutions = Number.POSITIVE_INFINITY, atFailure = "go-on", width = 1 } = options;
  const { mayGoOn = () => true, announce } = options;
  const tell = (more: number, remaining: number | undefined): void => {
    announce?.({ executions: rounds.executions + more, remaining }, () => rounds.data);
  };
  const exploreHere = (task: PartTask<K>): PartAnswer<K> =>
    here.explore<K>(task, ({ executions, size }) => {
      if (executions % 50 === 0) {
        // Of a search that has only just begun, this part may be all there is to go by.
        const isFirst = rounds.executions === 0;
        const runs = isFirst ? Math.max(size ?? 0, rounds.remaining ?? 0) : rounds.remaining;
        tell(executions, remainingOf(runs, executions));
      }
      return mayGoOn();
    });
  const explore = options.explore?.bind(options);
  await conduct<K>(rounds, {
    maxExecutions,
    atFailure,
    width,
    mayGoOn,
    explore: async (task) =>
      explore === undefined ? exploreHere(task) : await explore<K>(task, exploreHere),
    announce: () => tell(0, rounds.remaining),
  });
  const { executions, abandoned, isOver, isComplete, coverage, counterexamples, remaining, data } = rounds;
  return {
    executions,
    abandoned,
    complete: isComplete,
    asPlanned: isOver,
    coverage,
    counterexamples,
    remaining,
    saved: data,
  };
}

function remainingOf(runs: number | undefined, made: number): number | undefined {
  return runs === undefined ? undefined : Math.max(0, Math.round(runs) - made);
}
