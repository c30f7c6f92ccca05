/** Why a file or a name is no signal. */
export type SignalProblem =
  | "missing-file"
  | "unreadable-file"
  | "unknown-format"
  | "not-riff"
  | "malformed-wav"
  | "not-pcm16"
  | "truncated"
  | "empty"
  | "malformed-csv"
  | "no-numeric-column"
  | "ragged-row"
  | "not-a-number"
  | "out-of-range";

/** What a {@link SignalError} says: each field is part of a sentence, without a full stop. */
export interface SignalComplaint {
  readonly problem: SignalProblem;
  /** What the user asked for: a built-in name or a path. */
  readonly subject: string;
  /** What was found there. */
  readonly value: string;
  /** What would have been right. */
  readonly expected: string;
  /** The nearest thing that would work. */
  readonly nearest: string;
  /** The error underneath, where there is one. */
  readonly cause?: unknown;
}

/** A name or file that cannot be used as a signal: bad usage, never a fault of the program. */
export class SignalError extends Error {
  override readonly name = "SignalError";
  readonly problem: SignalProblem;
  readonly subject: string;
  readonly value: string;
  readonly expected: string;
  readonly nearest: string;

  constructor(complaint: SignalComplaint) {
    const { problem, subject, value, expected, nearest, cause } = complaint;
    super(
      `"${subject}" cannot be used as a signal: found ${value}; expected ${expected}; nearest choice: ${nearest}`,
      cause === undefined ? undefined : { cause },
    );
    this.problem = problem;
    this.subject = subject;
    this.value = value;
    this.expected = expected;
    this.nearest = nearest;
  }
}
