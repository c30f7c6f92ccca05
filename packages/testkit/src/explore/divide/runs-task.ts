import type { Answered, Handed } from "./part-kinds.ts";

/** Some of the runs that are drawn by a seed, as plain data: each is drawn by its number, whoever makes it. */
export interface RunsTask extends Handed {
  readonly algorithm: "drawn";
  /** How they are drawn: at every step, or by priorities that change at `depth` − 1 of the first `range` steps. */
  readonly by: "steps" | { readonly depth: number; readonly range: number };
  readonly seed: number;
  /** The runs `[from, end)`. */
  readonly from: number;
  readonly end: number;
}

/** What came of runs that were drawn. */
export interface RunsAnswer extends Answered {
  /** The most tasks and steps that a run has shown; 0 where nobody asks. */
  readonly tasks: number;
  readonly steps: number;
}
