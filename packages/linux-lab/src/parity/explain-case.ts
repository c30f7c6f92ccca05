import { labStanding, type TriedCase } from "../run/lab-standing.ts";
import type { Explanation } from "../subject/lab-subject.ts";
import { hasSaid } from "../subject/said.ts";
import type { Difference } from "./compare-steps.ts";
import type { ExplainedDifference } from "./explained-differences.ts";
import type { ComparedCase } from "./parity-result.ts";

/** What is known of one program's differences. */
export interface ExplainedCase {
  /** Why the model and Linux differ, as far as that is known. */
  readonly reasons: readonly string[];
  /** The program with the differences and broken rules that nobody has explained; undefined where none are left. */
  readonly open: ComparedCase | undefined;
}

/** What an explanation is looked for by. */
interface About {
  readonly law: string;
  readonly subject: string;
}

/**
 * Takes from a program what is known of its differences. An explanation is for exactly what both sides said, and for nothing
 * that the same program says besides.
 */
export function explainCase(
  one: ComparedCase,
  about: About,
  known: readonly ExplainedDifference[],
): ExplainedCase {
  const fitting = explanationsOf(one, about, known);
  const needed = new Set<string>();
  const isExplained = (fits: (explained: ExplainedDifference) => boolean): boolean => {
    const found = fitting.find(fits);
    if (found !== undefined) needed.add(found.reason);
    return found !== undefined;
  };
  const differences = one.differences.filter(
    (difference) => !isExplained(({ seen }) => seen.some((sides) => isOf(sides, difference))),
  );
  const linux = one.linux.filter((problem) => {
    const told = withoutName(problem, one, about);
    return !isExplained(({ broken = [] }) => broken.some((said) => hasSaid(said, told)));
  });
  const isOpen = differences.length > 0 || linux.length > 0 || (one.model ?? []).length > 0;
  return { reasons: [...needed], open: isOpen ? { ...one, differences, linux } : undefined };
}

/** The same of a program that only a guest has run, by what its subject says of itself. */
export function explainAlone(
  one: ComparedCase,
  tried: readonly TriedCase[],
  explanations: readonly Omit<Explanation, "law">[],
): ExplainedCase {
  const { status, reason } = labStanding(tried, explanations);
  return {
    reasons: status === "explained" ? [reason] : [],
    open: status === "broken" ? one : undefined,
  };
}

/**
 * The explanations that a program of a law no longer needs on a subject: what they explain was not seen or, of a race, is among
 * what the model allows.
 */
export function staleExplanations(
  one: ComparedCase,
  about: About,
  known: readonly ExplainedDifference[],
): readonly string[] {
  // Without the model there is no difference.
  if (one.model === undefined) return [];
  return explanationsOf(one, about, known)
    .filter((explained) => !isNeeded(explained, one, about))
    .map(({ reason }) => reason);
}

function isNeeded({ seen, broken = [] }: ExplainedDifference, one: ComparedCase, about: About): boolean {
  const { allowed } = one;
  if (allowed !== undefined) {
    return !seen.some(({ linux }) => [...allowed].some((vector) => hasSaid(linux, vector)));
  }
  const told = one.linux.map((problem) => withoutName(problem, one, about));
  return (
    seen.every((sides) => one.differences.some((difference) => isOf(sides, difference))) &&
    broken.every((said) => told.some((text) => hasSaid(said, text)))
  );
}

function isOf(sides: ExplainedDifference["seen"][number], { model, linux }: Difference): boolean {
  return hasSaid(sides.model, model) && hasSaid(sides.linux, linux);
}

function explanationsOf(
  { when }: ComparedCase,
  { law, subject }: About,
  known: readonly ExplainedDifference[],
): readonly ExplainedDifference[] {
  const [strategy = subject] = subject.split(".");
  return known.filter(
    (explained) =>
      explained.law === law &&
      explained.when === when &&
      (explained.subjects?.some((name) => name === subject || name === strategy) ?? true),
  );
}

/** A problem without what a run in the guest tells it by (`runCaseInLab`). */
function withoutName(problem: string, { when }: ComparedCase, { subject }: About): string {
  const name = when === "" ? `${subject}: ` : `${subject}, ${when}: `;
  return problem.startsWith(name) ? problem.slice(name.length) : problem;
}
