import { boundInWords, drawnInWords } from "../coverage-words.ts";
import { endOfRound } from "../draw-rounds.ts";
import { PriorityOdds, type PriorityOddsData } from "../priority-odds.ts";
import type { Course } from "./course.ts";
import { type Division, usualDivision } from "./division.ts";
import type { Handed } from "./part-kinds.ts";
import type { RunsAnswer, RunsTask } from "./runs-task.ts";

/** How runs are drawn, and how many. */
export interface DrawnRuns {
  readonly runs: number;
  readonly seed: number;
  /** Of runs by priorities, the depth of the failures that they look for; undefined where every step is drawn. */
  readonly depth: number | undefined;
}

/** How far a search that draws has come at the beginning of a round, as plain data. */
export interface RunsCourseData {
  readonly division: Division;
  readonly begin: number;
  readonly odds: PriorityOddsData;
}

/** The course of a search that draws its runs: its parts are runs by their numbers. */
export class RunsCourse implements Course<"drawn"> {
  readonly coversAll = false;
  readonly #drawn: DrawnRuns;
  readonly #division: Division;
  readonly #odds: PriorityOdds;
  /** The first run of the round. */
  #begin: number;
  #parts: readonly { readonly from: number; readonly end: number }[] = [];

  constructor(drawn: DrawnRuns, saved?: RunsCourseData, division: Division = usualDivision) {
    this.#drawn = drawn;
    this.#division = saved?.division ?? division;
    this.#begin = saved?.begin ?? 0;
    this.#odds = new PriorityOdds(drawn.depth ?? 1, saved?.odds);
  }

  get isOver(): boolean {
    return this.#begin >= this.#drawn.runs;
  }

  coverage(answers: readonly (RunsAnswer | undefined)[]): string {
    const { seed, depth } = this.#drawn;
    if (depth === undefined) return drawnInWords(seed);
    const odds = new PriorityOdds(depth, this.#odds.data);
    const executions = this.#begin + learnFrom(odds, answers);
    return boundInWords(odds.bound, { executions, depth, seed });
  }

  beginRound(): readonly number[] {
    const begin = this.#begin;
    const length = endOfRound(begin, this.#drawn.runs) - begin;
    const each = Math.ceil(length / this.#division.parts);
    this.#parts = Array.from({ length: Math.ceil(length / each) }, (_, part) => ({
      from: begin + part * each,
      end: begin + Math.min(length, (part + 1) * each),
    }));
    return this.#parts.map(({ from, end }) => end - from);
  }

  task(part: number, handed: Handed, before?: RunsAnswer): RunsTask {
    const { seed, depth } = this.#drawn;
    const { from, end } = this.#parts[part] ?? { from: 0, end: 0 };
    const by = depth === undefined ? "steps" : { depth, range: this.#odds.range };
    return { algorithm: "drawn", by, seed, from: from + (before?.executions ?? 0), end, ...handed };
  }

  /** A part is over when its runs have been made, and never before. */
  isEnd(): boolean {
    return false;
  }

  joined(one: RunsAnswer, other: RunsAnswer): RunsAnswer {
    const [tasks, steps] = [Math.max(one.tasks, other.tasks), Math.max(one.steps, other.steps)];
    return { ...other, tasks, steps };
  }

  takeIn(answers: readonly RunsAnswer[]): void {
    this.#begin += learnFrom(this.#odds, answers);
  }

  size(): number {
    return this.#drawn.runs;
  }

  get data(): RunsCourseData {
    return { division: this.#division, begin: this.#begin, odds: this.#odds.data };
  }
}

/** Learns from runs of one round; how many they are. */
function learnFrom(odds: PriorityOdds, answers: readonly (RunsAnswer | undefined)[]): number {
  let [executions, tasks, steps] = [0, 0, 0];
  for (const answer of answers) {
    executions += answer?.executions ?? 0;
    tasks = Math.max(tasks, answer?.tasks ?? 0);
    steps = Math.max(steps, answer?.steps ?? 0);
  }
  odds.learn(executions, tasks, steps);
  return executions;
}
