import type { Beyond } from "../fork-search.ts";
import type { ForkedData } from "../forks.ts";
import type { Answered, Handed } from "./part-kinds.ts";

/**
 * A part of a search with a bound on preemptions as plain data: schedules with the same number of preemptions. What they lead to
 * without a further one belongs to the part, and nobody else comes to the same schedules, so that parts need not know of each
 * other. Traces may be met in several parts; who owns the search counts them once.
 */
export interface ForksTask extends Handed {
  readonly algorithm: "preemptions";
  /** What the schedules begin with, that which comes first at the end. */
  readonly forks: readonly ForkedData[];
  /** What is done about schedules with a preemption more. */
  readonly beyond: Beyond;
}

/** What came of schedules with the same number of preemptions. */
export interface ForksAnswer extends Answered {
  /** What remains of the part; none when it was run to its end. */
  readonly left: readonly ForkedData[];
  /** Where a preemption more leads on, in the order of finding, as far as that is kept. */
  readonly later: readonly ForkedData[];
  readonly hasLater: boolean;
  /** The traces that were met, as numbers, each once. */
  readonly traces: readonly number[];
}
