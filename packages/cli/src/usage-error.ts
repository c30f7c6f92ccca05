import { describeProblem, type Problem } from "@nopage/core/wiring";

/** The command was called, or configured, in a way that cannot work: every problem at once, and nothing was run. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], cause?: unknown) {
    super(problems.map(describeProblem).join("\n"), cause === undefined ? undefined : { cause });
    this.problems = problems;
  }
}
