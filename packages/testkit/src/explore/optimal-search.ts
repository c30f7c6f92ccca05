import { Beginning } from "./beginning.ts";
import { DepthFirstSearch, firstAwake, type PathNode } from "./depth-first-search.ts";
import type { Explorable, Moment } from "./search.ts";
import type { Step } from "./step.ts";
import { insertBeginning, type WakeupBranch } from "./wakeup-tree.ts";

/** A state of an optimal search. */
export interface OptimalNode extends PathNode {
  /** Beginnings still to be run from here, besides the one that the present run follows. */
  readonly branches: WakeupBranch[];
  /** What the present run is to go on with after its step from here; undefined for nothing. */
  onward: WakeupBranch[] | undefined;
}

/**
 * Runs one schedule of every Mazurkiewicz trace and gives none up: optimal dynamic partial-order reduction with wake-up
 * trees (Abdulla, Aronis, Jonsson and Sagonas, "Source sets", JACM 2017).
 */
export class OptimalSearch extends DepthFirstSearch<OptimalNode> {
  protected override readonly looksAt = "every race";

  protected override enter(sleep: Step[], from: OptimalNode | undefined): OptimalNode {
    return { sleep, branches: from?.onward ?? [], onward: undefined };
  }

  protected override pick(node: OptimalNode, moment: Moment, last: number): number {
    return this.nextBranch(node) ?? firstAwake(moment, node.sleep, last);
  }

  protected override nextBranch(node: OptimalNode): number | undefined {
    if (node.branches.length === 0) return undefined;
    const branch = node.branches.shift() as WakeupBranch;
    node.onward = branch.branches;
    return branch.task;
  }

  protected override reverse(
    earlier: number,
    later: Step,
    program: Explorable,
    others: "none" | "some",
  ): void {
    const isAlone = others === "none" && this.isTheSameAfter(earlier, later);
    if (isAlone && this.#isCovered(this.path[earlier] as OptimalNode, later)) return;
    this.insert(earlier, this.beginningOf(earlier, later, program));
  }

  /**
   * Whether a run that begins with a step alone is equal to one that has been or will be explored: a quick look, as the races of
   * one step with many others mostly ask for what the first of them has asked for.
   */
  #isCovered({ sleep, branches }: OptimalNode, step: Step): boolean {
    for (const other of sleep) if (this.#canSwap(other, step)) return true;
    for (const branch of branches) {
      if (branch.branches.length === 0 && branch.isKnown && this.#canSwap(branch.step, step)) return true;
    }
    return false;
  }

  #canSwap(one: Step, other: Step): boolean {
    return one.task === other.task || !this.dependence.conflict(one, other);
  }

  /** What a run begins with, after the steps before the earlier one, so that the later step of the race comes first. */
  protected beginningOf(earlier: number, later: Step, program: Explorable): Beginning {
    const others = this.order.notAfter(earlier);
    if (this.isTheSameAfter(earlier, later)) return new Beginning(this.dependence, others, later, undefined);
    return new Beginning(this.dependence, [...others], later, () =>
      this.realiseAfter(program, earlier, others, later),
    );
  }

  /** Whether a beginning from the state at a depth had to be added, as no run that starts so was or will be explored. */
  protected insert(depth: number, beginning: Beginning): boolean {
    const { sleep, branches } = this.path[depth] as OptimalNode;
    // Those first of which it can be told without a run.
    let isOpen = false;
    for (const step of sleep) {
      const canStart = beginning.canStartForSure(step);
      if (canStart === true) return false;
      if (canStart === undefined) isOpen = true;
    }
    if (isOpen) for (const step of sleep) if (beginning.canStartWith(step)) return false;
    return insertBeginning(branches, beginning);
  }
}
