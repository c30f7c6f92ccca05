import type { LabStatus } from "../run/lab-standing.ts";
import type { Difference } from "./compare-steps.ts";

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
  readonly difference?: Difference;
  /** Outcomes of a racy program. */
  readonly seen?: { readonly seen: number; readonly allowed: number; readonly complete: boolean };
}

/** What the programs of a law amount to, together with what is known of their differences. */
export function resultOf(
  about: Pick<ParityResult, "subject" | "law">,
  standing: { readonly status: LabStatus; readonly reason: string },
  cases: readonly ComparedCase[],
  explanationFor: (one: ComparedCase) => string | undefined,
): ParityResult {
  const reasons = new Set<string>();
  const open: ComparedCase[] = [];
  for (const one of cases) {
    if (!disagrees(one, standing.status)) continue;
    const reason = explanationFor(one);
    if (reason === undefined) open.push(one);
    else reasons.add(reason);
  }
  const isBroken = standing.status === "broken" && (open.length > 0 || reasons.size === 0);
  if (standing.status === "explained") reasons.add(standing.reason);
  const told = open.length > 0 ? open : cases;
  return {
    ...about,
    status: open.length > 0 || isBroken ? "disagree" : reasons.size > 0 ? "explained" : "agree",
    model: modelInWords(told),
    linux: linuxInWords(told, isBroken ? standing.reason : ""),
    reason: open.length > 0 || isBroken ? openInWords(open) : [...reasons].join("; "),
    programs: open.map(({ when, difference, broken }) => ({ when, steps: difference?.steps ?? broken })),
  };
}

function disagrees({ model, linux, difference }: ComparedCase, status: LabStatus): boolean {
  if (difference !== undefined) return true;
  if (model === undefined) return linux.length > 0 && status === "broken";
  return model.length > 0 !== linux.length > 0;
}

function modelInWords(cases: readonly ComparedCase[]): string {
  if (cases.every(({ model }) => model === undefined)) return MUST_HOLD;
  return sidesInWords(cases, ({ model = [] }) => model, "model");
}

function linuxInWords(cases: readonly ComparedCase[], otherwise: string): string {
  const words = sidesInWords(cases, ({ linux }) => linux, "linux");
  const seen = cases.flatMap((one) => (one.seen === undefined ? [] : [one.seen]));
  if (words === "holds" && otherwise !== "") return otherwise;
  if (seen.length === 0) return words;
  const sum = (of: "seen" | "allowed"): number => seen.reduce((total, one) => total + one[of], 0);
  const more = seen.every(({ complete }) => complete) ? "" : " at least";
  return `${words}; ${sum("seen")} of${more} ${sum("allowed")} allowed outcomes seen`;
}

function sidesInWords(
  cases: readonly ComparedCase[],
  problemsOf: (one: ComparedCase) => readonly string[],
  side: "model" | "linux",
): string {
  const problems = cases.flatMap(problemsOf);
  if (problems.length > 0) return [...new Set(problems)].join("\n");
  const differences = cases.flatMap(({ difference }) => (difference === undefined ? [] : [difference[side]]));
  return differences.length > 0 ? [...new Set(differences)].join("\n") : "holds";
}

function openInWords(open: readonly ComparedCase[]): string {
  const programs = open.map(({ when }) => when).filter((when) => when !== "");
  return programs.length === 0 ? "they do not agree" : `they do not agree in: ${programs.join("; ")}`;
}
