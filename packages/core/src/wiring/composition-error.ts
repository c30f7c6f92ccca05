import { describeProblem, type Problem } from "./problem.ts";

/** A world cannot be composed from what was asked for: every problem at once, and nothing was built. */
export class CompositionError extends Error {
  override readonly name = "CompositionError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], cause?: unknown) {
    super(problems.map(describeProblem).join("\n"), cause === undefined ? undefined : { cause });
    this.problems = problems;
  }
}
