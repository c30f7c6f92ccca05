import { Beginning } from "./beginning.ts";
import { DepthFirstSearch, firstAwake, type PathNode } from "./depth-first-search.ts";
import type { Explorable, Moment } from "./search.ts";
import type { Step } from "./step.ts";
import { insertBeginning, type WakeupBranch } from "./wakeup-tree.ts";

interface OptimalNode extends PathNode {
  /** Beginnings still to be run from here, besides the one that the present run follows. */
  readonly branches: WakeupBranch[];
  /** What the present run is to go on with after its step from here. */
  onward: WakeupBranch[];
}

/**
 * Runs one schedule of every Mazurkiewicz trace and gives none up: optimal dynamic partial-order reduction with wake-up
 * trees (Abdulla, Aronis, Jonsson and Sagonas, "Source sets", JACM 2017).
 */
export class OptimalSearch extends DepthFirstSearch<OptimalNode> {
  protected override enter(sleep: Step[], from: OptimalNode | undefined): OptimalNode {
    return { sleep, branches: from?.onward ?? [], onward: [] };
  }

  protected override pick(node: OptimalNode, moment: Moment, last: number): number {
    return this.nextBranch(node) ?? firstAwake(moment.enabled(), node.sleep, last);
  }

  protected override nextBranch(node: OptimalNode): number | undefined {
    const branch = node.branches.shift();
    if (branch === undefined) return undefined;
    node.onward = branch.branches;
    return branch.step.task;
  }

  protected override reverse(earlier: number, later: Step, program: Explorable): void {
    const node = this.path[earlier] as OptimalNode;
    const others = this.order.notAfter(earlier);
    const beginning = later.isConditional
      ? new Beginning(this.dependence, [...others], later, () =>
          this.realise(program, earlier, others, later),
        )
      : new Beginning(this.dependence, others, later, undefined);
    for (const step of node.sleep) if (beginning.canStartWith(step)) return;
    insertBeginning(node.branches, beginning);
  }
}
