import type { Difference } from "./compare-steps.ts";
import type { ExplainedCase } from "./explain-case.ts";
import type { Race } from "./race.ts";

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
  /** What its racy programs came to. */
  readonly races: readonly Race[];
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
  /** What a racy program came to. */
  readonly race?: Race;
  /** Outcomes of a racy program that the model allows, as `outcomeVector` has them; left out where it was not run there. */
  readonly allowed?: ReadonlySet<string>;
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
    races: cases.flatMap(({ race }) => race ?? []),
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
  const races = cases.flatMap(({ race }) => race ?? []).filter(({ search }) => search !== "none");
  if (races.length === 0) return words;
  const allowed = races.flatMap(({ outcomes }) => outcomes).filter((one) => one.allowed === "yes");
  const seen = allowed.filter(({ times }) => times > 0);
  const more = races.every(({ search }) => search === "complete") ? "" : " at least";
  return `${words}; ${seen.length} of${more} ${allowed.length} allowed outcomes seen`;
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
