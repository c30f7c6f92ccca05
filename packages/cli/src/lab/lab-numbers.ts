import { availableParallelism } from "node:os";
import type { Problem } from "@nopage/core/wiring";

/** The numbers among the flags of `nopage lab`. */
export interface LabNumbers {
  /** Guests at the same time. */
  readonly jobs: number;
  /** Random sequences; undefined where laws are run. */
  readonly random: number | undefined;
  /** Which random sequences, or in which ways races are run. */
  readonly seed: number;
  /** Runs of each racy program; as many as the lab finds enough where undefined. */
  readonly racyRuns: number | undefined;
}

/** More guests than this need more memory than they save time. */
const MOST_USUAL_JOBS = 4;

/** Reads them: one guest for every CPU, where nothing else is said, as most programs keep one at work. */
export function readNumbers(flags: {
  readonly jobs?: string;
  readonly random?: string;
  readonly seed?: string;
  readonly runs?: string;
}): LabNumbers & { readonly problems: readonly Problem[] } {
  const jobs = readNumber("--jobs", flags.jobs, /^[1-9]\d?$/, "a whole number from 1 to 99");
  const random = readNumber("--random", flags.random, /^[1-9]\d{0,5}$/, "a whole number from 1 to 999999");
  const seed = readNumber("--seed", flags.seed, /^\d{1,9}$/, "a whole number from 0 to 999999999");
  const runs = readNumber("--runs", flags.runs, /^[1-9]\d{0,4}$/, "a whole number from 1 to 99999");
  return {
    jobs: jobs.number ?? Math.min(MOST_USUAL_JOBS, availableParallelism()),
    random: random.number,
    seed: seed.number ?? 1,
    racyRuns: runs.number,
    problems: [...jobs.problems, ...random.problems, ...seed.problems, ...runs.problems],
  };
}

function readNumber(
  path: string,
  text: string | undefined,
  form: RegExp,
  expected: string,
): { readonly number: number | undefined; readonly problems: readonly Problem[] } {
  if (text === undefined) return { number: undefined, problems: [] };
  if (form.test(text)) return { number: Number(text), problems: [] };
  return { number: undefined, problems: [problem(path, text, expected)] };
}

function problem(path: string, value: string, expected: string): Problem {
  return { path, value, expected, nearest: undefined };
}
