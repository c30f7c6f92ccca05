/** How a law stands on one subject. */
export type LawStatus = "pass" | "fail" | "skip" | "untested";

/** How a law stands, and why. */
export interface LawStanding {
  readonly status: LawStatus;
  /** What was broken, why it does not apply, or why nothing can show it; empty for `pass`. */
  readonly reason: string;
  /**
   * How many orders of the steps of its racy programs were tried, how many of them at random because a program did not do the
   * same again under the same order, and whether that was all; empty where it has none.
   */
  readonly explored: string;
}

/** One law on one strategy, geometry and accessor. */
export interface LawResult extends LawStanding {
  readonly strategy: string;
  readonly geometry: string;
  readonly accessor: "cpu" | "device";
  readonly law: string;
}
