import { Beginning } from "../beginning.ts";
import type { Dependence, Step } from "../step.ts";
import { insertBeginning, type WakeupBranch } from "../wakeup-tree.ts";
import { type StepData, stepOf, stepsOf } from "./step-data.ts";
import type { OpenNode, SpineNode, SubTreeAnswer } from "./sub-tree-task.ts";
import {
  dataOfTree,
  NOBODY,
  type Part,
  type State,
  sizeOf,
  spineNodeOf,
  statesOf,
  type TreeData,
  treeOf,
  withoutWhatIsOver,
} from "./tree-state.ts";

/** Where a part of a search begins: the tasks that lead there, the states on the way, and what is left of the part. */
export interface Place {
  readonly prefix: readonly number[];
  readonly spine: readonly SpineNode[];
  readonly open: readonly OpenNode[];
}

/** Where something can be explored: a part, or else the first branch that waits at the last state of the way. */
interface Found {
  readonly way: readonly State[];
  readonly part: Part | undefined;
}

/**
 * The tree of an optimal search as far as it is divided: the states above the parts, with the branches that wait there. It
 * hands out places for parts, and takes in what came of them; see `SubTreeTask` for why that is right.
 */
export class SearchTree {
  readonly #dependence: Dependence;
  /** Undefined when all is over. */
  #root: State | Part | undefined;

  /** @param data what `data` has said, to go on from there; a search that has not begun when left out */
  constructor(dependence: Dependence, data: TreeData | "over" | "new" = "new") {
    this.#dependence = dependence;
    if (data === "new") this.#root = { kind: "part", task: NOBODY, isLeaf: true, open: [] };
    else this.#root = data === "over" ? undefined : treeOf(data);
  }

  get isOver(): boolean {
    return this.#root === undefined;
  }

  /**
   * Where parts may be explored at the same time, at most so many. Of the parts there are, as many are divided up as that
   * takes, those with the fewest steps before them first.
   */
  places(most: number): readonly Place[] {
    let found = this.#places();
    while (found.length < most && this.#divideOne(found)) found = this.#places();
    return found.slice(0, most).map(({ way, part }) => {
      const prefix = way.slice(1).map(({ task }) => task);
      const spine = way.map(spineNodeOf);
      if (part === undefined) return { prefix, spine, open: [] };
      const onward = part.open.slice(0, -1).map(({ step }) => (step as StepData).task);
      const begun = part.task === NOBODY ? [] : [part.task];
      return { prefix: [...prefix, ...begun, ...onward], spine, open: part.open };
    });
  }

  /** Takes in what came of parts, all of those that `places` handed out last, in that order. */
  takeIn(places: readonly Place[], answers: readonly SubTreeAnswer[]): void {
    const ways = places.map((place, index) => this.#takeInOne(place, answers[index] as SubTreeAnswer));
    answers.forEach(({ steps: list, requests }, index) => {
      const states = ways[index] as readonly State[];
      const steps = stepsOf(list);
      for (const { depth, beginning } of requests) {
        const asked = beginning.map((place) => steps[place] as Step);
        this.#grant(states[depth] as State, asked);
      }
    });
    if (this.#root?.kind === "state") this.#root = withoutWhatIsOver(this.#root);
  }

  /** How many runs there may be in all, as far as can be told. */
  get size(): number {
    return this.#root === undefined ? 0 : sizeOf(this.#root);
  }

  get data(): TreeData | "over" {
    return this.#root === undefined ? "over" : dataOfTree(this.#root);
  }

  /** All places, first those of what was begun, and those with the fewest steps before them first. */
  #places(): readonly Found[] {
    const begun: Found[] = [];
    const waiting: Found[] = [];
    const visit = (at: State | Part, above: readonly State[]): void => {
      if (at.kind === "part") {
        begun.push({ way: above, part: at });
        return;
      }
      const way = [...above, at];
      for (const child of at.children) visit(child, way);
      if (at.branches.length > 0) waiting.push({ way, part: undefined });
    };
    if (this.#root !== undefined) visit(this.#root, []);
    return [...begun.sort(fewestSteps), ...waiting.sort(fewestSteps)];
  }

  /** Takes the first states off a part, down to one from which another branch can be begun; whether there was one. */
  #divideOne(found: readonly Found[]): boolean {
    for (const { way, part } of found) {
      if (part === undefined) continue;
      // From the last state the part goes on itself.
      const depth = part.open.slice(0, -1).findIndex(({ branches }) => branches.length > 0);
      if (depth < 0) continue;
      const state = statesOf(part, depth);
      const parent = way.at(-1);
      if (parent === undefined) this.#root = state;
      else parent.children[parent.children.indexOf(part)] = state;
      return true;
    }
    return false;
  }

  /** Takes in what is left of a part, and how it began; the states on the way to it. */
  #takeInOne({ prefix, spine, open: before }: Place, answer: SubTreeAnswer): readonly State[] {
    const states: State[] = [];
    let at = this.#root;
    for (let depth = 0; depth < spine.length; depth++) {
      if (at?.kind !== "state") throw new Error("a part was handed out where there is no state");
      states.push(at);
      at = at.children.find(({ task }) => task === prefix[depth]);
    }
    const last = states.at(-1);
    if (last === undefined) {
      const { open } = answer;
      this.#root = open.length === 0 ? undefined : { kind: "part", task: NOBODY, isLeaf: true, open };
      return states;
    }
    if (before.length > 0) {
      putBack(last, prefix[spine.length - 1], answer, before[0]?.executions ?? 0);
      return states;
    }
    const added = this.#begin(last, answer.first);
    putBack(added.at(-1) ?? last, answer.first.at(-1)?.task, answer, 0);
    return [...states, ...added];
  }

  /** Follows the first branch of a state down to its first leaf, by the steps that were taken; the states on the way. */
  #begin(from: State, first: readonly StepData[]): readonly State[] {
    const added: State[] = [];
    let state = from;
    for (const [index, data] of first.entries()) {
      const branch = state.branches.shift();
      if (branch === undefined || branch.step.task !== data.task) {
        throw new Error("a part was begun elsewhere than where it was handed out");
      }
      const step = stepOf(data);
      const sleep = state.sleep.filter(
        (other) => other.task !== step.task && !this.#dependence.conflict(step, other),
      );
      state.sleep.push(step);
      if (index === first.length - 1) {
        state.children.push({ kind: "part", task: step.task, isLeaf: true, open: [] });
        break;
      }
      const next = stateAt(step.task, sleep, branch.branches);
      state.children.push(next);
      added.push(next);
      state = next;
    }
    return added;
  }

  /** Adds a beginning that a race has asked for at a state, unless runs that start so are explored, or will be. */
  #grant(at: State, steps: readonly Step[]): void {
    const others = steps.slice(0, -1);
    const asked = new Beginning(this.#dependence, others, steps.at(-1) as Step, undefined);
    let state = at;
    while (!asked.isOver) {
      const kept = new Map(state.children.map((child) => [child.task, child]));
      let begun: State | Part | undefined;
      for (const step of state.sleep) {
        if (!asked.canStartWith(step)) continue;
        const child = kept.get(step.task);
        if (child === undefined) return;
        begun ??= child;
      }
      if (begun === undefined) {
        insertBeginning(state.branches, asked);
        return;
      }
      if (begun.isLeaf || begun.kind === "part") return;
      asked.leaveOut(begun.task);
      state = begun;
    }
  }
}

function stateAt(task: number, sleep: Step[], branches: WakeupBranch[]): State {
  return { kind: "state", task, isLeaf: false, sleep, branches, executions: 0, over: 0, children: [] };
}

/** What is left of a part goes back where it was, or is over. */
function putBack(
  state: State,
  task: number | undefined,
  { open, executions }: SubTreeAnswer,
  before: number,
): void {
  const at = state.children.findIndex((child) => child.task === task);
  const part = state.children[at];
  if (part?.kind !== "part") throw new Error("a part was answered for that was not handed out");
  part.open = open;
  if (open.length > 0) return;
  state.children.splice(at, 1);
  state.executions += before + executions;
  state.over++;
}

function fewestSteps(one: Found, other: Found): number {
  return one.way.length - other.way.length;
}
