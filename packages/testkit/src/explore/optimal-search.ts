import { DepthFirstSearch, type PathNode } from "./depth-first-search.ts";
import { ABANDON, type Explorable, type Pending } from "./search.ts";
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

  protected override pick(node: OptimalNode, enabled: readonly Pending[], last: number): number {
    const task = this.nextBranch(node);
    if (task !== undefined) return task;
    return firstAwake(enabled, node.sleep, last);
  }

  protected override nextBranch(node: OptimalNode): number | undefined {
    const branch = node.branches.shift();
    if (branch === undefined) return undefined;
    node.onward = branch.branches;
    return branch.step.task;
  }

  protected override reverse(earlier: number, later: Step, program: Explorable): void {
    const { dependence, order } = this;
    const node = this.path[earlier] as OptimalNode;
    const others = order.notAfter(earlier, order.steps.length);
    const reversed = later.isConditional ? this.realise(program, earlier, others, later) : later;
    const beginning = [...others, reversed];
    if (node.sleep.some((step) => dependence.isWeakInitial(step, beginning))) return;
    insertBeginning(node.branches, beginning, dependence);
  }
}

/** The task that went last where it can go on, otherwise the first that need not sleep. */
export function firstAwake(enabled: readonly Pending[], sleep: readonly Step[], last: number): number {
  const isAwake = ({ task }: Pending): boolean => !sleep.some((step) => step.task === task);
  const goesOn = enabled.find((pending) => pending.task === last && isAwake(pending));
  return (goesOn ?? enabled.find(isAwake))?.task ?? ABANDON;
}
