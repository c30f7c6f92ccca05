import { nearestName } from "./nearest.ts";
import { anyOf } from "./problem.ts";

/** What a value has to be: enough to check it, to say what was expected, and to name the nearest choice. */
export interface Shape {
  /** The end of the sentence "expected …". */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** The valid choice nearest to a wrong value. */
  nearest(value: unknown): string | undefined;
}

/** One of a few names. */
export function oneOf(names: readonly string[]): Shape {
  return {
    expected: anyOf(names),
    accepts: (value) => typeof value === "string" && names.includes(value),
    nearest: (value) => (typeof value === "string" ? nearestName(value, names) : undefined),
  };
}

/** A list of different names, each one of a few. */
export function listOf(names: readonly string[], size: "any size" | "not empty"): Shape {
  const least = size === "not empty" ? 1 : 0;
  const isKnown = (item: unknown) => typeof item === "string" && names.includes(item);
  return {
    expected: `a list${least === 0 ? "" : " of at least one"} of ${names.map((name) => JSON.stringify(name)).join(", ")}, each once`,
    accepts: (value) =>
      Array.isArray(value) &&
      value.length >= least &&
      value.every(isKnown) &&
      new Set(value).size === value.length,
    nearest: (value) => {
      const wrong = Array.isArray(value) ? value.find((item) => !isKnown(item)) : value;
      return typeof wrong === "string" ? nearestName(wrong, names) : undefined;
    },
  };
}

/** A whole number from `least` to `most`, both included. */
export function wholeNumber(least: number, most: number): Shape {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return {
    expected: `a whole number ${range}`,
    accepts: (value) => isWhole(value) && value >= least && value <= most,
    nearest: (value) => {
      if (typeof value !== "number" || Number.isNaN(value)) return undefined;
      return String(Math.min(most, Math.max(least, Math.round(value))));
    },
  };
}

/** A power of two from 1 to `most`, which is one itself. */
export function powerOfTwo(most: number): Shape {
  return {
    expected: `a power of two from 1 to ${most}`,
    accepts: (value) => isWhole(value) && value >= 1 && value <= most && Number.isInteger(Math.log2(value)),
    nearest: (value) => {
      if (typeof value !== "number" || Number.isNaN(value)) return undefined;
      return String(Math.min(most, 2 ** Math.round(Math.log2(Math.max(1, value)))));
    },
  };
}

/** true or false. */
export const trueOrFalse: Shape = {
  expected: "true or false",
  accepts: (value) => typeof value === "boolean",
  nearest: () => undefined,
};

/** An object with a function under each of the names. */
export function objectWith(expected: string, methods: readonly string[]): Shape {
  return {
    expected,
    accepts: (value) => isRecord(value) && methods.every((method) => typeof value[method] === "function"),
    nearest: () => undefined,
  };
}

/** Whether a value is an object with keys, and not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
