/** What a reader is told about the bytes it gets, to name the signal and to complain in the user's words. */
export interface SignalIdentity {
  /** The signal's name, see `Signal.name`. */
  readonly name: string;
  /** The signal's source, see `Signal.source`. */
  readonly source: string;
  /** What the user asked for: a built-in name or a path. */
  readonly subject: string;
}
