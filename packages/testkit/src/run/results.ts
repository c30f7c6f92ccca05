/** How a law stands on one subject. */
export type LawStatus = "pass" | "fail" | "skip" | "untested";

/** One law on one strategy, geometry and accessor. */
export interface LawResult {
  readonly strategy: string;
  readonly geometry: string;
  readonly accessor: "cpu" | "device";
  readonly law: string;
  readonly status: LawStatus;
  /** What was broken, why it does not apply, or why nothing can show it; empty for `pass`. */
  readonly reason: string;
}
