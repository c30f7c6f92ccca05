import { DepthFirstSearch, type PathNode } from "./depth-first-search.ts";
import { ABANDON, type Moment } from "./search.ts";

interface ExhaustiveNode extends PathNode {
  readonly left: number[];
}

/** Runs every schedule, without any reduction: what the others are measured against. */
export class ExhaustiveSearch extends DepthFirstSearch<ExhaustiveNode> {
  protected override readonly looksAt = "new races";

  protected override enter(): ExhaustiveNode {
    return { sleep: [], left: [] };
  }

  protected override pick(node: ExhaustiveNode, moment: Moment): number {
    node.left.push(...moment.enabled());
    return node.left.shift() ?? ABANDON;
  }

  protected override nextBranch(node: ExhaustiveNode): number | undefined {
    return node.left.shift();
  }

  protected override reverse(): void {
    // Every order is run anyway.
  }
}
