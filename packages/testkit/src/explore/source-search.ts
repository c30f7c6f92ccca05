import { DepthFirstSearch, firstAwake, type PathNode } from "./depth-first-search.ts";
import type { Explorable, Moment } from "./search.ts";
import type { Step } from "./step.ts";

interface SourceNode extends PathNode {
  /** Tasks to begin with from here. */
  readonly backtrack: number[];
}

/**
 * Runs one schedule of every trace, and gives up some runs in the middle: dynamic partial-order reduction with source sets
 * and sleep sets. It needs less memory than the optimal search, and checks it.
 */
export class SourceSearch extends DepthFirstSearch<SourceNode> {
  protected override readonly looksAt = "new races";

  protected override enter(sleep: Step[]): SourceNode {
    return { sleep, backtrack: [] };
  }

  protected override pick(node: SourceNode, moment: Moment, last: number): number {
    const task = firstAwake(moment, node.sleep, last);
    node.backtrack.push(task);
    return task;
  }

  protected override nextBranch({ backtrack, sleep }: SourceNode, explored: number): number | undefined {
    return backtrack.find((task) => task !== explored && !sleep.some((step) => step.task === task));
  }

  protected override reverse(earlier: number, later: Step, program: Explorable): void {
    const { dependence, order } = this;
    const { backtrack } = this.path[earlier] as SourceNode;
    const others = order.notAfter(earlier);
    const reversed = this.isTheSameAfter(earlier, later)
      ? later
      : this.realise(program, earlier, others, later);
    const beginning = [...others, reversed];
    const initials = beginning.filter((_, index) => dependence.isInitial(beginning, index));
    if (initials.some(({ task }) => backtrack.includes(task))) return;
    const [first] = initials;
    if (first !== undefined) backtrack.push(first.task);
  }
}
