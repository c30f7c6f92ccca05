import type { Counterexample } from "../judged-runs.ts";
import type { ForksAnswer, ForksTask } from "./forks-task.ts";
import type { RunsAnswer, RunsTask } from "./runs-task.ts";
import type { SubTreeAnswer, SubTreeTask } from "./sub-tree-task.ts";

/** The kinds of parts that searches are divided into, by the algorithm: each part, and what comes of it, as plain data. */
export interface PartKinds {
  readonly optimal: { readonly task: SubTreeTask; readonly answer: SubTreeAnswer };
  readonly preemptions: { readonly task: ForksTask; readonly answer: ForksAnswer };
  readonly drawn: { readonly task: RunsTask; readonly answer: RunsAnswer };
}

export type PartKind = keyof PartKinds;

/** A part of a search as plain data. */
export type PartTask<K extends PartKind = PartKind> = PartKinds[K]["task"];

/** What came of a part of a search. */
export type PartAnswer<K extends PartKind = PartKind> = PartKinds[K]["answer"];

/** What every part is handed out with. */
export interface Handed {
  /** Runs that may be taken to the end, 1 or more. */
  readonly budget: number;
  readonly atFailure: "stop" | "go-on";
}

/** What is said of every part. */
export interface Answered {
  readonly executions: number;
  /** Runs that were given up because an equal one had been explored. */
  readonly abandoned: number;
  /** The first schedule for each distinct set of problems, in the order of finding. */
  readonly counterexamples: readonly Counterexample[];
}

/** How far a part has come that is being explored. */
export interface PartProgress {
  readonly executions: number;
  /** Runs that the part has in all, by what was seen of it; undefined where there is no telling. */
  readonly size: number | undefined;
}
