import type { AnyLaw } from "../laws/law.ts";
import type { LawResult } from "../run/results.ts";

/** What a run of laws came to, as data: the laws, and how each stands on every subject. All other views are made of it. */
export interface ConformanceDocument {
  readonly laws: readonly Pick<AnyLaw, "id" | "level" | "rule" | "source">[];
  readonly results: readonly LawResult[];
}

/** Puts results together with the laws that they are about. */
export function conformanceDocument(
  laws: readonly AnyLaw[],
  results: readonly LawResult[],
): ConformanceDocument {
  return { laws: laws.map(({ id, level, rule, source }) => ({ id, level, rule, source })), results };
}

/** The document as JSON, with a line break at its end. */
export function asJson(document: ConformanceDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
