import type { Problem } from "@nopage/core/wiring";
import type { DividedPlan } from "@nopage/testkit";

/** The flags of `nopage explore` that say how far it goes, as they were written. */
export interface SearchFlags {
  readonly complete?: true;
  readonly preemptions?: string;
  readonly random?: string;
  readonly pct?: string;
  readonly depth?: string;
  readonly seed?: string;
  readonly maxExecutions?: string;
  readonly maxSeconds?: string;
  readonly workers?: string;
}

/** How far a search goes, and by whom. */
export interface SearchLimits {
  /** Runs of each program, at most. */
  readonly maxExecutions: number;
  /** Seconds for all programs, at most: it decides when the search stops, never what it finds until then. */
  readonly maxSeconds: number;
  /** Threads; undefined where nothing is said. */
  readonly workers: number | undefined;
}

/** Runs of each program where nothing else is said. */
const DEFAULT_MAX = 1000;

/** More of anything than can be waited for. */
const MOST = 2 ** 31 - 1;

const kinds = ["complete", "preemptions", "random", "pct"] as const;

/**
 * The search that the flags ask for, how far it may go, and what is wrong with them.
 *
 * @param beginning whether it is a new search, or goes on with one that had to stop, as far as it may
 */
export function searchOf(
  flags: SearchFlags,
  beginning: "new" | "resumed" = "new",
): {
  readonly plan: DividedPlan;
  readonly limits: SearchLimits;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const read = (name: keyof SearchFlags, least: number, end?: number): number | undefined => {
    const text = flags[name];
    if (typeof text !== "string") return undefined;
    const most = end ?? MOST;
    const isNumber = /^-?\d+$/.test(text);
    const value = Number(text);
    if (isNumber && value >= least && value <= most) return value;
    const nearest = isNumber ? String(value < least ? least : most) : undefined;
    const expected = `a whole number from ${least} ${end === undefined ? "on" : `to ${end}`}`;
    problems.push({ path: flagOf(name), value: text, expected, nearest });
    return undefined;
  };
  const [preemptions, random, pct] = [read("preemptions", 0), read("random", 1), read("pct", 1)];
  const [depth, seed] = [read("depth", 1, 1000), read("seed", -(2 ** 31), 2 ** 31 - 1)];
  const [maxExecutions, maxSeconds] = [read("maxExecutions", 1), read("maxSeconds", 1)];
  const workers = read("workers", 1);
  const chosen = kinds.filter((kind) => flags[kind] !== undefined);
  for (const kind of chosen.slice(1)) {
    const expected = `no --${chosen[0]} beside it: a search goes one way`;
    problems.push({ path: `--${kind}`, value: flags[kind], expected, nearest: undefined });
  }
  if (flags.depth !== undefined && flags.pct === undefined) {
    problems.push({ path: "--depth", value: flags.depth, expected: "--pct beside it", nearest: undefined });
  }
  if (flags.seed !== undefined && flags.pct === undefined && flags.random === undefined) {
    const expected = "--random or --pct beside it: other searches draw nothing";
    problems.push({ path: "--seed", value: flags.seed, expected, nearest: undefined });
  }
  const plan = planOf({ preemptions, random, pct, depth, seed });
  const isLimited = chosen.length > 0 || maxSeconds !== undefined || beginning === "resumed";
  const most = isLimited ? Number.POSITIVE_INFINITY : DEFAULT_MAX;
  const limits = {
    maxExecutions: maxExecutions ?? most,
    maxSeconds: maxSeconds ?? Number.POSITIVE_INFINITY,
    workers,
  };
  return { plan, limits, problems };
}

/** A flag as it is typed. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Where chance begins in a search that draws; undefined for others. */
export function seedOf(plan: DividedPlan): number | undefined {
  return typeof plan === "object" && !("preemptions" in plan) ? (plan.seed ?? 1) : undefined;
}

function planOf(
  numbers: Readonly<Record<"preemptions" | "random" | "pct" | "depth" | "seed", number | undefined>>,
): DividedPlan {
  const { preemptions, random, pct, depth, seed } = numbers;
  const seeded = seed === undefined ? {} : { seed };
  if (preemptions !== undefined) return { preemptions };
  if (random !== undefined) return { random, ...seeded };
  if (pct !== undefined) return { pct, ...(depth === undefined ? {} : { depth }), ...seeded };
  return "optimal";
}
