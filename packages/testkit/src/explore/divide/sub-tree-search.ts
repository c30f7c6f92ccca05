import { type OptimalNode, OptimalSearch } from "../optimal-search.ts";
import type { Explorable, Moment } from "../search.ts";
import type { Dependence, Step } from "../step.ts";
import type { WakeupBranch } from "../wakeup-tree.ts";
import { type BranchData, branchOf, dataOfBranch, dataOfStep, type StepData, stepOf } from "./step-data.ts";
import { StepList } from "./step-list.ts";
import type { NodeData, OpenNode, Request, SubTreeTask } from "./sub-tree-task.ts";

/** An optimal search of a part of the schedules, that never goes back to the states above it: see `SubTreeTask`. */
export class SubTreeSearch extends OptimalSearch {
  /** What the races have asked of the owner's states, where those might not have it without. */
  readonly requests: Request[] = [];
  readonly steps = new StepList();
  readonly #prefix: readonly number[];
  readonly #given: readonly OptimalNode[];
  /** By depth, as far as the owner goes on, sleeping tasks that do not make it leave out a beginning. */
  readonly #kept: readonly (readonly number[])[];
  /** States before the part's own ones. */
  readonly #above: number;
  readonly #statesAbove = new Set<OptimalNode>();
  /** By depth, runs when the state was entered, and the number of steps that slept in it then. */
  readonly #before: number[];
  readonly #inherited: number[];
  /** The state that the next run branches off from, and its branch. */
  #next: { readonly node: OptimalNode; readonly branch: WakeupBranch } | undefined = undefined;
  /** What was asked for, as text. */
  readonly #asked = new Set<string>();

  constructor(dependence: Dependence, { prefix, spine, open }: SubTreeTask) {
    super(dependence);
    this.#prefix = prefix;
    const branch = open.length === 0 ? spine.at(-1)?.branches[0] : undefined;
    this.#above = branch === undefined ? spine.length : spine.length - 1 + heightOf(branch);
    this.#given = [...spine, ...open].map(nodeOf);
    for (const node of this.#given.slice(0, this.#above)) this.#statesAbove.add(node);
    this.#kept = spine.map(({ kept }) => kept);
    this.#before = [...spine.map(() => 0), ...open.map(({ executions }) => -executions)];
    this.#inherited = [...spine.map(() => 0), ...open.map(({ inherited }) => inherited)];
  }

  /** The steps between the last state that was given and the first of the part, after a run. */
  get first(): readonly StepData[] {
    const from = Math.min(this.#prefix.length, this.#above - 1);
    return from < 0 ? [] : this.order.steps.slice(from, this.#above).map(dataOfStep);
  }

  /** What remains, between two runs: the states of its own from the first one to where the next run branches off. */
  get open(): readonly OpenNode[] {
    if (this.#next === undefined) return [];
    const { node, branch } = this.#next;
    const last = this.path.indexOf(node);
    return this.path.slice(this.#above, last + 1).map(({ sleep, branches }, index): OpenNode => {
      const depth = this.#above + index;
      const state = {
        sleep: sleep.map(dataOfStep),
        branches: branches.map(dataOfBranch),
        inherited: this.#inherited[depth] as number,
        executions: this.executions - (this.#before[depth] as number),
      };
      if (depth === last) return { ...state, branches: [dataOfBranch(branch), ...state.branches] };
      return { ...state, step: dataOfStep(this.order.steps[depth] as Step) };
    });
  }

  protected override enter(sleep: Step[], from: OptimalNode | undefined): OptimalNode {
    const depth = this.path.length;
    const given = this.#isFirstRun ? this.#given[depth] : undefined;
    if (given !== undefined) return given;
    this.#before[depth] = this.executions;
    this.#inherited[depth] = sleep.length;
    const node = super.enter(sleep, from);
    if (depth < this.#above) this.#statesAbove.add(node);
    return node;
  }

  protected override pick(node: OptimalNode, moment: Moment, last: number): number {
    const depth = this.path.length - 1;
    if (this.#isFirstRun && depth < Math.max(this.#given.length, this.#above)) {
      const given = depth < this.#prefix.length ? this.#prefix[depth] : super.nextBranch(node);
      if (given !== undefined) return given;
    }
    return super.pick(node, moment, last);
  }

  protected override nextBranch(node: OptimalNode): number | undefined {
    const [branch] = node.branches;
    if (branch === undefined || this.#statesAbove.has(node)) {
      this.#next = undefined;
      return undefined;
    }
    this.#next = { node, branch };
    return super.nextBranch(node);
  }

  protected override reverse(
    earlier: number,
    later: Step,
    program: Explorable,
    others: "none" | "some",
  ): void {
    if (earlier < this.#above) this.#ask(earlier, later, program);
    else super.reverse(earlier, later, program, others);
  }

  /** Asks for a beginning at a state of the owner. */
  #ask(depth: number, later: Step, program: Explorable): void {
    const others = this.#placesOf(this.order.notAfter(depth));
    const [announced = 0] = this.#placesOf([later]);
    const text = `${depth}:${others.join()}:${announced}`;
    if (this.#asked.has(text)) return;
    this.#asked.add(text);
    const beginning = this.beginningOf(depth, later, program);
    const kept = this.#kept[depth];
    for (const step of (this.path[depth] as OptimalNode).sleep) {
      if (kept?.includes(step.task) !== true && beginning.canStartWith(step)) return;
    }
    const last = beginning.steps().at(-1) as Step;
    const place = last === later ? announced : this.#placesOf([last])[0];
    this.requests.push({ depth, beginning: place === undefined ? others : [...others, place] });
  }

  /** The places of steps of the present run, and of one that was not taken in it, among those of all requests. */
  #placesOf(steps: readonly Step[]): readonly number[] {
    const run = this.order.steps;
    return steps.map((step): number => {
      const at = run.indexOf(step);
      let nth = 0;
      for (let before = 0; before < (at < 0 ? run.length : at); before++) {
        if (run[before]?.task === step.task) nth++;
      }
      const cause = step.cause === undefined ? undefined : this.#placesOf([step.cause])[0];
      return this.steps.placeOf(step, nth, cause);
    });
  }

  get #isFirstRun(): boolean {
    return this.executions + this.abandoned === 0;
  }
}

function nodeOf({ sleep, branches }: NodeData): OptimalNode {
  return { sleep: sleep.map((step) => stepOf(step)), branches: branches.map(branchOf), onward: undefined };
}

/** Steps down to the first leaf. */
function heightOf({ branches: [first] }: BranchData): number {
  return first === undefined ? 1 : 1 + heightOf(first);
}
