import type { Counterexample } from "../explore-law.ts";
import type { Dependence } from "../step.ts";
import { type Place, SearchTree } from "./search-tree.ts";
import type { StepData } from "./step-data.ts";
import type { SpineNode, SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";
import { sizeOfPart, type TreeData } from "./tree-state.ts";

/** How a search is divided: numbers that change nothing in what is found, but for which of equal runs are made. */
export interface Division {
  /** Runs of the first part, which is not divided. */
  readonly first: number;
  /** Parts that are explored at the same time, at most, and the runs of each until they are divided anew. */
  readonly parts: number;
  readonly runs: number;
}

/** So few runs that small searches are over before they are divided, and so many that handing out parts costs little. */
export const usualDivision: Division = { first: 500, parts: 32, runs: 250 };

/** All that there is to know of a search that has been divided, as plain data. */
export interface DividedData {
  readonly division: Division;
  readonly tree: TreeData | "over";
  readonly isFirst: boolean;
  readonly executions: number;
  readonly abandoned: number;
  readonly counterexamples: readonly Counterexample[];
  /** By part of the present round, what has come of it so far. */
  readonly answers: readonly (SubTreeAnswer | null)[];
}

/** A part that can be explored now, by its number in the round. */
export interface Handout {
  readonly part: number;
  readonly task: SubTreeTask;
}

/**
 * An optimal search in parts. It goes in rounds: parts are handed out, in any number at a time, and when all have been
 * answered for, what came of them is taken in, in the order of the parts. So its course is the same whoever explores the
 * parts, how many at a time, and where it was interrupted and saved in between.
 */
export class DividedSearch {
  readonly #tree: SearchTree;
  readonly #division: Division;
  readonly #found = new Map<string, Counterexample>();
  #isFirst = true;
  #executions = 0;
  #abandoned = 0;
  #places: readonly Place[] = [];
  #answers: (SubTreeAnswer | undefined)[] = [];

  /** @param saved what `data` has said, to go on from there */
  constructor(dependence: Dependence, saved?: DividedData, division: Division = usualDivision) {
    this.#tree = new SearchTree(dependence, saved?.tree);
    this.#division = saved?.division ?? division;
    if (saved !== undefined) {
      this.#isFirst = saved.isFirst;
      this.#executions = saved.executions;
      this.#abandoned = saved.abandoned;
      this.#keep(saved.counterexamples);
    }
    this.#beginRound();
    saved?.answers.forEach((answer, part) => {
      this.#answers[part] = answer ?? undefined;
    });
  }

  get isOver(): boolean {
    return this.#tree.isOver;
  }

  get executions(): number {
    return this.#executions + this.#sum(({ executions }) => executions);
  }

  get abandoned(): number {
    return this.#abandoned + this.#sum(({ abandoned }) => abandoned);
  }

  /** The first schedule for each distinct set of problems, ordered by these. */
  get counterexamples(): readonly Counterexample[] {
    const all = new Map(this.#found);
    for (const answer of this.#answers) for (const one of answer?.counterexamples ?? []) keep(all, one);
    return [...all.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, found]) => found);
  }

  /** Runs that are still to be made, by what was seen so far. */
  get remaining(): number {
    let runs = this.#tree.size;
    this.#places.forEach(({ spine, open }, part) => {
      const answer = this.#answers[part];
      // What waits is in the size of the tree already, as large as what lies beside it.
      if (answer === undefined || (open.length === 0 && spine.length > 0)) return;
      const made = (open[0]?.executions ?? 0) + answer.executions;
      runs += (answer.open.length === 0 ? made : sizeOfPart(answer.open)) - sizeOfPart(open);
    });
    return this.isOver ? 0 : Math.max(0, Math.round(runs) - this.executions);
  }

  /**
   * The parts of this round that are not done, each with what of the budget it may use: it is given to the first ones first.
   */
  handouts(budget: number, atFailure: "stop" | "go-on"): readonly Handout[] {
    const handouts: Handout[] = [];
    let left = budget;
    this.#places.forEach((place, part) => {
      const answer = this.#answers[part];
      const runs = Math.min(left, this.#runsOfAPart - (answer?.executions ?? 0));
      if (this.#isDone(answer) || runs <= 0) return;
      left -= runs;
      const { prefix, spine, open } = answer === undefined ? place : continued(place, answer);
      handouts.push({
        part,
        task: { algorithm: "optimal", prefix, spine, open, budget: runs, atFailure },
      });
    });
    return handouts;
  }

  /** Takes what came of a part; when none of the round is left, the next one begins. */
  answer(part: number, answer: SubTreeAnswer): void {
    const before = this.#answers[part];
    this.#answers[part] = before === undefined ? answer : joined(before, answer);
    if (!this.#places.every((_, one) => this.#isDone(this.#answers[one]))) return;
    const answers = this.#answers as readonly SubTreeAnswer[];
    this.#executions = this.executions;
    this.#abandoned = this.abandoned;
    for (const { counterexamples } of answers) this.#keep(counterexamples);
    this.#isFirst = false;
    this.#tree.takeIn(this.#places, answers);
    this.#beginRound();
  }

  get data(): DividedData {
    return {
      division: this.#division,
      tree: this.#tree.data,
      isFirst: this.#isFirst,
      executions: this.#executions,
      abandoned: this.#abandoned,
      counterexamples: [...this.#found.values()],
      answers: this.#answers.map((answer) => answer ?? null),
    };
  }

  #beginRound(): void {
    this.#places = this.#tree.places(this.#isFirst ? 1 : this.#division.parts);
    this.#answers = this.#places.map(() => undefined);
  }

  get #runsOfAPart(): number {
    return this.#isFirst ? this.#division.first : this.#division.runs;
  }

  #isDone(answer: SubTreeAnswer | undefined): boolean {
    return answer !== undefined && (answer.open.length === 0 || answer.executions >= this.#runsOfAPart);
  }

  #sum(count: (answer: SubTreeAnswer) => number): number {
    return this.#answers.reduce((sum, answer) => sum + (answer === undefined ? 0 : count(answer)), 0);
  }

  #keep(counterexamples: readonly Counterexample[]): void {
    for (const one of counterexamples) keep(this.#found, one);
  }
}

function keep(found: Map<string, Counterexample>, counterexample: Counterexample): void {
  const key = counterexample.problems.join("\n");
  if (!found.has(key)) found.set(key, counterexample);
}

/** Where a part goes on that has been explored for a while. */
function continued({ prefix, spine, open: before }: Place, { first, open }: SubTreeAnswer): Place {
  const onward = open.slice(0, -1).map(({ step }) => (step as StepData).task);
  if (before.length > 0) return { prefix: [...prefix.slice(0, spine.length), ...onward], spine, open };
  // Of the states between the owner's last and the part's first one the owner knows how much need not be asked for.
  const between = first.slice(1).map((): SpineNode => ({ sleep: [], branches: [], kept: [] }));
  return {
    prefix: [...prefix, ...first.map(({ task }) => task), ...onward],
    spine: [...spine, ...between],
    open,
  };
}

/** What came of a part that was explored in two goes. */
function joined(one: SubTreeAnswer, other: SubTreeAnswer): SubTreeAnswer {
  const found = new Map<string, Counterexample>();
  for (const counterexample of [...one.counterexamples, ...other.counterexamples])
    keep(found, counterexample);
  const end = one.steps.length;
  const later = other.steps.map((step) =>
    step.cause === undefined ? step : { ...step, cause: step.cause + end },
  );
  return {
    executions: one.executions + other.executions,
    abandoned: one.abandoned + other.abandoned,
    first: one.first,
    steps: [...one.steps, ...later],
    requests: [
      ...one.requests,
      ...other.requests.map(({ depth, beginning }) => ({
        depth,
        beginning: beginning.map((at) => at + end),
      })),
    ],
    open: other.open,
    counterexamples: [...found.values()],
  };
}
