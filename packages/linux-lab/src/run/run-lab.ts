import { type AnyLaw, selectLaws } from "@nopage/testkit/conform";
import type { GuestModule, SubjectDefinition } from "../subject/lab-subject.ts";
import { type LabStanding, labStanding, type TriedCase } from "./lab-standing.ts";
import type { Laboratory } from "./laboratory.ts";
import { RACY_RUNS, raceSeed } from "./racy-runs.ts";
import { runCaseInLab } from "./run-case-in-lab.ts";
import { AFTERWARDS, complaintsAfterwards } from "./subject-end.ts";

/** A program that broke its law. */
export interface BrokenProgram {
  /** Which of the law's programs; empty where it has only one. */
  readonly when: string;
  /** What was seen, and what had to be. */
  readonly problems: readonly string[];
  /** What it did, step by step, with what each step answered. */
  readonly steps: readonly string[];
}

export interface LabResult extends LabStanding {
  readonly subject: string;
  readonly law: string;
  readonly broken: readonly BrokenProgram[];
}

/** What is run in the lab. */
export interface LabOptions {
  /** Ids and families; all where left out. */
  readonly laws?: readonly string[];
  /** Runs of each racy program; 50 where left out. */
  readonly racyRuns?: number;
  /** Decides in which ways races are run; 1 where left out. */
  readonly seed?: number;
  /** Modules that every guest loads. */
  readonly modules?: readonly GuestModule[];
  /** Guests that are at work at the same time, each on a subject of its own; 1 where left out. */
  readonly jobs?: number;
  /** Ends the guests, and with them the run: its reason is thrown. */
  readonly stop?: AbortSignal;
}

/**
 * Holds subjects to the laws on a real kernel, one law after the other, with the guests of a laboratory, which its owner ends. A
 * guest that a program has spoilt is replaced.
 *
 * @throws ModuleRefused when a module cannot be loaded
 * @throws NoGuests when no guest can be booted; one that does not boot is the problem of the law that needed it
 */
export async function* labResultsIn(
  laboratory: Laboratory,
  subjects: readonly SubjectDefinition[],
  { laws, racyRuns = RACY_RUNS, seed = 1 }: Pick<LabOptions, "laws" | "racyRuns" | "seed"> = {},
): AsyncGenerator<LabResult, void, void> {
  for (const subject of subjects) {
    for (const law of selectLaws(laws)) {
      yield await runLawInLab(law, subject, laboratory, { racyRuns, seed });
    }
    const problems = await complaintsAfterwards(subject, laboratory);
    const [reason] = problems;
    if (reason === undefined) continue;
    const broken = [{ when: "", problems, steps: [] }];
    yield { subject: subject.name, law: AFTERWARDS, status: "broken", reason, stale: [], broken };
  }
}

async function runLawInLab(
  law: AnyLaw,
  subject: SubjectDefinition,
  laboratory: Laboratory,
  { racyRuns, seed }: { readonly racyRuns: number; readonly seed: number },
): Promise<LabResult> {
  const about = { subject: subject.name, law: law.id };
  if (law.level === "untested")
    return { ...about, status: "skip", reason: law.reason, stale: [], broken: [] };
  if (law.level === "model-only") {
    return { ...about, status: "skip", reason: "user space cannot see it", stale: [], broken: [] };
  }
  laboratory.law = law.id;
  const tried: TriedCase[] = [];
  const broken: BrokenProgram[] = [];
  for (const lawCase of law.cases) {
    const runs = lawCase.schedule === "racy" ? racyRuns : 1;
    for (let run = 0; run < runs; run++) {
      const { end, steps, guest } = await runCaseInLab(lawCase, subject, laboratory, raceSeed(seed, run));
      if (guest === "spoilt") await laboratory.discard();
      tried.push({ lawCase, end });
      if (end.kind === "excluded") break;
      if (end.problems.length === 0) continue;
      broken.push({ when: lawCase.when, problems: end.problems, steps });
      break;
    }
  }
  const explanations = (subject.explained ?? []).filter((explained) => explained.law === law.id);
  return { ...about, ...labStanding(tried, explanations), broken };
}
