import { type CaseEnd, type LawCase, standingOf } from "@nopage/testkit/executor";
import type { Explanation } from "../subject/lab-subject.ts";
import { hasSaid, type Said } from "../subject/said.ts";

/** How a law stands on a subject of the lab: `explained` where it is broken for reasons that are known, and no others. */
export type LabStatus = "holds" | "broken" | "explained" | "skip";

/** What came of one program, all runs of it together. */
export interface TriedCase {
  readonly lawCase: Pick<LawCase, "when" | "schedule">;
  readonly end: CaseEnd;
}

/** How a law stands on a subject. */
export interface LabStanding {
  readonly status: LabStatus;
  /** What was broken, why that is known, or why the law does not apply; empty for `holds`. */
  readonly reason: string;
  /** Explanations of what is not broken, by their reasons, unless a race decides whether it shows. */
  readonly stale: readonly string[];
}

/** How a law stands of which these programs were tried, with what its subject says about it counted in. */
export function labStanding(
  tried: readonly TriedCase[],
  explanations: readonly Omit<Explanation, "law">[],
): LabStanding {
  const unexplained: CaseEnd[] = [];
  const reasons = new Set<string>();
  for (const one of tried) {
    const known = reasonsOf(one, explanations);
    if (known === undefined) unexplained.push(one.end);
    else for (const reason of known) reasons.add(reason);
  }
  const stale = explanations
    .filter((explanation) => isNeedless(explanation, tried))
    .map(({ reason }) => reason);
  const { status, reason } = standingOf(unexplained);
  if (status === "fail") return { status: "broken", reason, stale };
  if (reasons.size > 0) return { status: "explained", reason: [...reasons].join("; "), stale };
  return { status: status === "pass" ? "holds" : "skip", reason, stale };
}

/** Whether all that it is about was run and held. */
function isNeedless({ when }: Omit<Explanation, "law">, tried: readonly TriedCase[]): boolean {
  const about = tried.filter(
    ({ lawCase, end }) => end.kind === "run" && (when ?? lawCase.when) === lawCase.when,
  );
  return (
    about.length > 0 &&
    about.every(({ lawCase, end }) => {
      return lawCase.schedule === "sequential" && end.kind === "run" && end.problems.length === 0;
    })
  );
}

/** Why a program breaks its law, all of what it tells being known; undefined where it breaks nothing, or anything else. */
function reasonsOf(
  { lawCase, end }: TriedCase,
  explanations: readonly Omit<Explanation, "law">[],
): readonly string[] | undefined {
  if (end.kind === "excluded" || end.problems.length === 0) return undefined;
  const about = explanations.filter(({ when }) => (when ?? lawCase.when) === lawCase.when);
  const found = end.problems.map((problem) =>
    about.find(({ seen }) => seen === undefined || seen.some((said) => isTold(said, problem))),
  );
  const reasons = found.flatMap((explanation) => explanation?.reason ?? []);
  return reasons.length === found.length ? reasons : undefined;
}

/** Where the kernel has put what it was left to place. */
const PLACED = /\b0x7[0-9a-f]{11}\b/g;

/** A problem begins with its subject and its program, which the explanation names already. */
function isTold(said: Said, problem: string): boolean {
  const told = problem.replaceAll(PLACED, "an address");
  const starts = [...told.matchAll(/: /g)].map(({ index }) => index + 2);
  return starts.some((start) => hasSaid(said, told.slice(start)));
}
