import type { Difference } from "./compare-steps.ts";
import type { ExplainedCase } from "./explain-case.ts";

/** How the model and Linux stand to each other in one law. */
export type ParityStatus = "agree" | "disagree" | "explained" | "skip";

/** The model's side of a subject that it does not have: what the law says. */
export const MUST_HOLD = "must hold";

/** A program on which they do not agree. */
export interface DisagreeingProgram {
  /** Which of the law's programs; empty where it has only one. */
  readonly when: string;
  /** What it did, step by step, with both outcomes of the last. */
  readonly steps: readonly string[];
}

/** What came of one law on one subject, on both sides. */
export interface ParityResult {
  readonly subject: string;
  readonly law: string;
  readonly status: ParityStatus;
  /** `holds`, or what was broken or seen on the model; `must hold` where the model has no such subject. */
  readonly model: string;
  /** The same in the guest. */
  readonly linux: string;
  /** Why they differ, or why the law does not apply; empty where they agree. */
  readonly reason: string;
  readonly programs: readonly DisagreeingProgram[];
  /** Explanations of this law on this subject that were not needed, each by its reason: to be struck out. */
  readonly stale: readonly string[];
}

/** One program of a law, run on both sides. */
export interface ComparedCase {
  readonly when: string;
  /** What the program broke in the guest. */
  readonly linux: readonly string[];
  /** Its steps there, where it broke something. */
  readonly broken: readonly string[];
  /** What it broke on the model; left out where it was not run there. */
  readonly model?: readonly string[];
  /** Each step, or outcome of a race, on which the two sides are not the same. */
  readonly differences: readonly Difference[];
  /** Outcomes of a racy program: how many of those that the model allows were seen, and which it allows. */
  readonly seen?: {
    readonly seen: number;
    readonly vectors: ReadonlySet<string>;
    readonly complete: boolean;
  };
}

/** What the programs of a law amount to, together with what is known of their differences. */
export function resultOf<Case extends ComparedCase>(
  about: Pick<ParityResult, "subject" | "law">,
  cases: readonly Case[],
  explain: (one: Case) => ExplainedCase,
  stale: readonly string[] = [],
): ParityResult {
  const explained = cases.filter(disagrees).map(explain);
  const open = explained.flatMap((one) => (one.open === undefined ? [] : [one.open]));
  const reasons = new Set(explained.flatMap((one) => one.reasons));
  const told = open.length > 0 ? open : cases;
  return {
    ...about,
    status: open.length > 0 ? "disagree" : reasons.size > 0 ? "explained" : "agree",
    model: modelInWords(told),
    linux: linuxInWords(told),
    reason: open.length > 0 ? openInWords(open) : [...reasons].join("; "),
    programs: open.map(({ when, differences, broken }) => ({
      when,
      steps: differences[0]?.steps ?? broken,
    })),
    stale,
  };
}

/** Whether anything was broken, or seen on one side only; a subject that the model does not have is held to the law alone. */
function disagrees({ model = [], linux, differences }: ComparedCase): boolean {
  return differences.length > 0 || linux.length > 0 || model.length > 0;
}

function modelInWords(cases: readonly ComparedCase[]): string {
  if (cases.every(({ model }) => model === undefined)) return MUST_HOLD;
  return sidesInWords(cases, ({ model = [] }) => model, "model");
}

function linuxInWords(cases: readonly ComparedCase[]): string {
  const words = sidesInWords(cases, ({ linux }) => linux, "linux");
  const seen = cases.flatMap((one) => (one.seen === undefined ? [] : [one.seen]));
  if (seen.length === 0) return words;
  const count = seen.reduce((total, one) => total + one.seen, 0);
  const allowed = seen.reduce((total, { vectors }) => total + vectors.size, 0);
  const more = seen.every(({ complete }) => complete) ? "" : " at least";
  return `${words}; ${count} of${more} ${allowed} allowed outcomes seen`;
}

function sidesInWords(
  cases: readonly ComparedCase[],
  problemsOf: (one: ComparedCase) => readonly string[],
  side: "model" | "linux",
): string {
  const problems = cases.flatMap(problemsOf);
  if (problems.length > 0) return [...new Set(problems)].join("\n");
  const sides = cases.flatMap(({ differences }) => differences.map((one) => one[side]));
  return sides.length > 0 ? [...new Set(sides)].join("\n") : "holds";
}

function openInWords(open: readonly ComparedCase[]): string {
  const programs = open.map(({ when }) => when).filter((when) => when !== "");
  return programs.length === 0 ? "they do not agree" : `they do not agree in: ${programs.join("; ")}`;
}
