import type { Dependence } from "../step.ts";
import type { Course } from "./course.ts";
import { type Division, usualDivision } from "./division.ts";
import type { Handed } from "./part-kinds.ts";
import { type Place, SearchTree } from "./search-tree.ts";
import type { StepData } from "./step-data.ts";
import type { SpineNode, SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";
import { sizeOfPart, type TreeData } from "./tree-state.ts";

/** How far an optimal search has come at the beginning of a round, as plain data. */
export interface TreeCourseData {
  readonly division: Division;
  readonly tree: TreeData | "over";
  readonly isFirst: boolean;
}

/** The course of an optimal search: its parts are sub-trees. */
export class TreeCourse implements Course<"optimal"> {
  readonly coversAll = true;
  readonly #tree: SearchTree;
  readonly #division: Division;
  #isFirst: boolean;
  #places: readonly Place[] = [];

  constructor(dependence: Dependence, saved?: TreeCourseData, division: Division = usualDivision) {
    this.#tree = new SearchTree(dependence, saved?.tree);
    this.#division = saved?.division ?? division;
    this.#isFirst = saved?.isFirst ?? true;
  }

  get isOver(): boolean {
    return this.#tree.isOver;
  }

  coverage(): string {
    return "";
  }

  beginRound(): readonly number[] {
    const { first, parts, runs } = this.#division;
    this.#places = this.#tree.places(this.#isFirst ? 1 : parts);
    return this.#places.map(() => (this.#isFirst ? first : runs));
  }

  task(part: number, handed: Handed, before?: SubTreeAnswer): SubTreeTask {
    const place = this.#places[part] as Place;
    const { prefix, spine, open } = before === undefined ? place : continued(place, before);
    return { algorithm: "optimal", prefix, spine, open, ...handed };
  }

  isEnd({ open }: SubTreeAnswer): boolean {
    return open.length === 0;
  }

  joined(one: SubTreeAnswer, other: SubTreeAnswer): SubTreeAnswer {
    const end = one.steps.length;
    const later = other.steps.map((step) =>
      step.cause === undefined ? step : { ...step, cause: step.cause + end },
    );
    const requests = other.requests.map(({ depth, beginning }) => ({
      depth,
      beginning: beginning.map((at) => at + end),
    }));
    return {
      ...other,
      first: one.first,
      steps: [...one.steps, ...later],
      requests: [...one.requests, ...requests],
    };
  }

  takeIn(answers: readonly SubTreeAnswer[]): void {
    this.#isFirst = false;
    this.#tree.takeIn(this.#places, answers);
  }

  size(answers: readonly (SubTreeAnswer | undefined)[]): number {
    let runs = this.#tree.size;
    this.#places.forEach(({ spine, open }, part) => {
      const answer = answers[part];
      // What waits is in the size of the tree already, as large as what lies beside it.
      if (answer === undefined || (open.length === 0 && spine.length > 0)) return;
      const made = (open[0]?.executions ?? 0) + answer.executions;
      runs += (answer.open.length === 0 ? made : sizeOfPart(answer.open)) - sizeOfPart(open);
    });
    return runs;
  }

  get data(): TreeCourseData {
    return { division: this.#division, tree: this.#tree.data, isFirst: this.#isFirst };
  }
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
