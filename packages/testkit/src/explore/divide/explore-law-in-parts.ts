import { type GeometryName, stepsConflict } from "@nopage/core";
import type { Plugin } from "../../model/contender.ts";
import { selectLaws } from "../../run/run-laws.ts";
import type { LawExploration } from "../explore-law.ts";
import { LawRun } from "../law-run.ts";
import { type RacyProgram, racyProgramsOf } from "../racy-programs.ts";
import { Dependence } from "../step.ts";
import { conduct } from "./conduct.ts";
import { type DividedData, DividedSearch, type Division } from "./divided-search.ts";
import { exploreSubTree } from "./explore-sub-tree.ts";
import type { SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";
import { sizeOfPart } from "./tree-state.ts";

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
  /** Runs that may be made now; as many as there are when left out. */
  readonly maxExecutions?: number;
  readonly atFailure?: "stop" | "go-on";
  /** What an earlier exploration has left. */
  readonly saved?: DividedData;
  /** Numbers that change nothing in what is found. */
  readonly division?: Division;
  /** Parts that are explored at the same time; 1 when left out. */
  readonly width?: number;
  /** Explores a part elsewhere, as `LawParts` does, or by the function that it is given; only so when left out. */
  explore?(task: SubTreeTask, here: (task: SubTreeTask) => SubTreeAnswer): Promise<SubTreeAnswer>;
  /** Whether to go on: asked after each run here, and before each part. */
  mayGoOn?(): boolean;
  /** Told whenever parts have been answered for, and now and then while one is explored here, with what there is to save. */
  announce?(progress: PartsProgress, saved: () => DividedData): void;
}

/** How far an exploration in parts has come. */
export interface PartsProgress {
  readonly executions: number;
  /** Runs still to be made, by what the tree of schedules looks like so far. */
  readonly remaining: number;
}

/** What an exploration in parts has found so far, and all that it takes to go on with it. */
export interface ExplorationInParts extends LawExploration, PartsProgress {
  readonly saved: DividedData;
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
  explore(task: SubTreeTask, mayGoOn?: Parameters<typeof exploreSubTree>[3]): SubTreeAnswer {
    return exploreSubTree(task, this.#run, dependence, mayGoOn);
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
 * Runs a program of a law under every schedule that makes a difference, once each, in parts that may be explored at the
 * same time and elsewhere. What is found is the same, with the same schedules, whoever explores them and how many at a
 * time, and however often the search is left off and gone on with. `mayGoOn` says only when it is left off.
 *
 * @throws NotTheSameProgram when a part finds the program to be another than the one it was made from
 */
export async function exploreLawInParts(
  program: Pick<RacyProgram, "lawCase" | "contender">,
  geometry: GeometryName,
  options: ExploreInPartsOptions = {},
): Promise<ExplorationInParts> {
  const { maxExecutions = Number.POSITIVE_INFINITY, atFailure = "go-on", width = 1 } = options;
  const { mayGoOn = () => true, announce } = options;
  const search = new DividedSearch(dependence, options.saved, options.division);
  const here = new LawParts(program, geometry);
  const tell = (more: number, remaining: number): void => {
    announce?.({ executions: search.executions + more, remaining }, () => search.data);
  };
  const exploreHere = (task: SubTreeTask): SubTreeAnswer =>
    here.explore(task, (part) => {
      const { executions } = part;
      if (executions % 50 === 0) {
        // Of a search that has only just begun, this part is all there is to go by.
        const isFirst = search.executions === 0;
        const runs = isFirst ? Math.round(sizeOfPart(part.open)) : search.remaining;
        tell(executions, Math.max(0, runs - executions));
      }
      return mayGoOn();
    });
  const { explore = async (task) => exploreHere(task) } = options;
  await conduct(search, {
    maxExecutions,
    atFailure,
    width,
    mayGoOn,
    explore: (task) => explore(task, exploreHere),
    announce: () => tell(0, search.remaining),
  });
  const { executions, abandoned, isOver, counterexamples, remaining, data } = search;
  return {
    executions,
    abandoned,
    complete: isOver,
    asPlanned: isOver,
    coverage: "",
    counterexamples,
    remaining,
    saved: data,
  };
}
