/** One thing that is wrong with what somebody asked for: data, so that every view words it alike. */
export interface Problem {
  /** Where it stands, such as `machine.cpus`, `plugins[1]` or `--seed`. */
  readonly path: string;
  /** What was found there; undefined for nothing. */
  readonly value: unknown;
  /** What would have been right, as the end of the sentence "expected …". */
  readonly expected: string;
  /** The valid choice nearest to the value, where there are names to choose from. */
  readonly nearest: string | undefined;
}

const LONGEST_VALUE = 80;

/** A value as it reads in a sentence: JSON where it has a form there, cut to a readable length. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  const text =
    typeof value === "bigint" || typeof value === "symbol" || Number.isNaN(value) || isInfinite(value)
      ? String(value)
      : asJson(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`;
}

/** The problem as one sentence: `strategy: found "lazy"; expected one of …; nearest choice: "lazy-nopage"`. */
export function describeProblem({ path, value, expected, nearest }: Problem): string {
  const choice = nearest === undefined ? "" : `; nearest choice: ${JSON.stringify(nearest)}`;
  return `${path}: found ${showValue(value)}; expected ${expected}${choice}`;
}

/** Names as they read in a sentence: `"a"`, `"a" or "b"`, `one of "a", "b", "c"`. */
export function anyOf(names: readonly string[]): string {
  const quoted = names.map((name) => JSON.stringify(name));
  return quoted.length <= 2 ? quoted.join(" or ") : `one of ${quoted.join(", ")}`;
}

function isInfinite(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle, or a toJSON that throws.
    return Object.prototype.toString.call(value);
  }
}
