import type { Problem } from "@nopage/core/wiring";
import type { SearchPlan } from "@nopage/testkit";

/** The flags of `nopage explore` that say how far it goes, as they were written. */
export interface SearchFlags {
  readonly complete?: true;
  readonly preemptions?: string;
  readonly random?: string;
  readonly pct?: string;
  readonly depth?: string;
  readonly seed?: string;
  readonly max?: string;
}

/** Runs of each program where nothing else is said. */
const DEFAULT_MAX = 1000;

const kinds = ["complete", "preemptions", "random", "pct"] as const;

/** The search that the flags ask for, with the runs of each program that it may take, and what is wrong with them. */
export function searchOf(flags: SearchFlags): {
  readonly plan: SearchPlan;
  readonly max: number;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const read = (name: keyof SearchFlags, least: number): number | undefined => {
    const text = flags[name];
    if (typeof text !== "string") return undefined;
    const value = Number(text);
    if (/^-?\d{1,9}$/.test(text) && value >= least) return value;
    const nearest = /^-\d+$/.test(text) ? String(least) : undefined;
    problems.push({ path: `--${name}`, value: text, expected: `a whole number from ${least} on`, nearest });
    return undefined;
  };
  const [preemptions, random, pct] = [read("preemptions", 0), read("random", 1), read("pct", 1)];
  const [depth, seed, max] = [read("depth", 1), read("seed", -(2 ** 31)), read("max", 1)];
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
  const unlimited = chosen.length > 0 ? Number.POSITIVE_INFINITY : DEFAULT_MAX;
  const plan = planOf({ preemptions, random, pct, depth, seed });
  return { plan, max: max ?? unlimited, problems };
}

/** Where chance begins in a search that draws; undefined for others. */
export function seedOf(plan: SearchPlan): number | undefined {
  return typeof plan === "object" && !("preemptions" in plan) ? (plan.seed ?? 1) : undefined;
}

function planOf(
  numbers: Readonly<Record<"preemptions" | "random" | "pct" | "depth" | "seed", number | undefined>>,
): SearchPlan {
  const { preemptions, random, pct, depth, seed } = numbers;
  const seeded = seed === undefined ? {} : { seed };
  if (preemptions !== undefined) return { preemptions };
  if (random !== undefined) return { random, ...seeded };
  if (pct !== undefined) return { pct, ...(depth === undefined ? {} : { depth }), ...seeded };
  return "optimal";
}
