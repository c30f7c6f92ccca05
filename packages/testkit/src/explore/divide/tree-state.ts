import type { Step } from "../step.ts";
import type { WakeupBranch } from "../wakeup-tree.ts";
import { branchOf, dataOfBranch, dataOfStep, type StepData, stepOf } from "./step-data.ts";
import type { NodeData, OpenNode, SpineNode } from "./sub-tree-task.ts";

/** A state of the owner of a search. */
export interface State {
  readonly kind: "state";
  /** The task that leads here; `NOBODY` for the first state. */
  readonly task: number;
  /** Whether nothing slept when it was entered, so that all that begins here is found from here on. */
  readonly isLeaf: boolean;
  /** What need not be begun any more, also where it is not over. */
  readonly sleep: Step[];
  readonly branches: WakeupBranch[];
  /** Runs through what is over and not kept, and the number of these branches. */
  executions: number;
  over: number;
  /** What was begun from here and is kept, in the order of beginning. */
  readonly children: (State | Part)[];
}

/** What is left of a part: only who explores it looks at its states. */
export interface Part {
  readonly kind: "part";
  readonly task: number;
  readonly isLeaf: boolean;
  open: readonly OpenNode[];
}

/** No task leads to the first state. */
export const NOBODY = -1;

/** A state with what was begun from it, or a part, as plain data. */
export type TreeData = StateData | PartData;

interface PartData {
  readonly kind: "part";
  readonly task: number;
  readonly isLeaf: boolean;
  readonly open: readonly OpenNode[];
}

interface StateData extends NodeData {
  readonly kind: "state";
  readonly task: number;
  readonly isLeaf: boolean;
  readonly executions: number;
  readonly over: number;
  readonly children: readonly TreeData[];
}

export function dataOfTree(tree: State | Part): TreeData {
  if (tree.kind === "part") return tree;
  const { kind, task, isLeaf, executions, over, children } = tree;
  return { kind, task, isLeaf, ...dataOf(tree), executions, over, children: children.map(dataOfTree) };
}

export function treeOf(data: TreeData): State | Part {
  if (data.kind === "part") return { ...data };
  return {
    ...data,
    sleep: data.sleep.map((step) => stepOf(step)),
    branches: data.branches.map(branchOf),
    children: data.children.map(treeOf),
  };
}

export function spineNodeOf(state: State): SpineNode {
  return { ...dataOf(state), kept: state.children.map(({ task }) => task) };
}

function dataOf({ sleep, branches }: State): NodeData {
  return { sleep: sleep.map(dataOfStep), branches: branches.map(dataOfBranch) };
}

/** The states of a part down to a depth, and what is left of it as a part below that. */
export function statesOf({ task, isLeaf, open }: Part, depth: number): State {
  const stepAt = (at: number) => open[at]?.step as StepData;
  let below: State | Part = {
    kind: "part",
    task: stepAt(depth).task,
    isLeaf: false,
    open: open.slice(depth + 1),
  };
  for (let at = depth; at >= 0; at--) {
    const { sleep, branches, inherited, executions } = open[at] as OpenNode;
    below = {
      kind: "state",
      task: at === 0 ? task : stepAt(at - 1).task,
      isLeaf: at === 0 && isLeaf,
      // The step on the way has been begun: whatever is begun later has it asleep.
      sleep: [...sleep, stepAt(at)].map((step) => stepOf(step)),
      branches: branches.map(branchOf),
      executions: executions - (open[at + 1]?.executions ?? 0),
      over: sleep.length - inherited,
      children: [below],
    };
  }
  return below as State;
}

/**
 * A state without what is over below it, as far as nobody can ask anything of that any more: all that is left of it is
 * over too, up to a leaf; undefined when nothing remains.
 */
export function withoutWhatIsOver(state: State, isClear = true): State | undefined {
  let isClearHere = isClear || state.isLeaf;
  const kept = state.children.splice(0);
  for (const child of kept) {
    const left = child.kind === "part" ? child : withoutWhatIsOver(child, isClearHere);
    if (left === undefined && child.kind === "state") {
      state.executions += child.executions;
      state.over++;
    } else {
      state.children.push(child);
      isClearHere = false;
    }
  }
  const isOver = state.children.length === 0 && state.branches.length === 0;
  return isOver && (isClear || state.isLeaf) ? undefined : state;
}

/**
 * How many runs there may be in all: branches that wait are taken to be as large as those from the same state that were
 * begun. It is exact when all is over, and gets better on the way (after Knuth, "Estimating the efficiency of backtrack
 * programs", 1975).
 */
export function sizeOf(tree: State | Part): number {
  if (tree.kind === "part") return sizeOfPart(tree.open);
  let runs = tree.executions;
  for (const child of tree.children) runs += sizeOf(child);
  return extrapolated(runs, tree.over + tree.children.length, tree.branches.length);
}

/** How many runs there may be in a part, those that were made included. */
export function sizeOfPart(open: readonly OpenNode[]): number {
  let runs = 0;
  for (let at = open.length - 1; at >= 0; at--) {
    const { executions, sleep, inherited, branches } = open[at] as OpenNode;
    const onTheWay = at === open.length - 1 ? 0 : 1;
    const own = executions - (open[at + 1]?.executions ?? 0);
    runs = extrapolated(own + runs, sleep.length - inherited + onTheWay, branches.length);
  }
  return runs;
}

function extrapolated(runs: number, begun: number, waiting: number): number {
  return begun === 0 ? runs + waiting : (runs * (begun + waiting)) / begun;
}
