import { type AnyLaw, selectLaws } from "@nopage/testkit/conform";
import {
  type Contender,
  type LawCase,
  type Plugin,
  recordedCase,
  standingOf,
} from "@nopage/testkit/executor";
import { inParallel } from "../run/in-parallel.ts";
import { labStanding, type TriedCase } from "../run/lab-standing.ts";
import { Laboratory } from "../run/laboratory.ts";
import { RACY_RUNS, raceSeed } from "../run/racy-runs.ts";
import { runCaseInLab } from "../run/run-case-in-lab.ts";
import type { LabOptions } from "../run/run-lab.ts";
import { AFTERWARDS, complaintsAfterwards } from "../run/subject-end.ts";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { differencesIn, outcomeVector } from "./compare-steps.ts";
import { type ExplainedCase, explainAlone, explainCase, staleExplanations } from "./explain-case.ts";
import { explainedDifferences } from "./explained-differences.ts";
import { allowedOnModel, runOnModel } from "./model-run.ts";
import { modelSideOf } from "./model-side.ts";
import { type ObservedStep, StepObserver } from "./observed-step.ts";
import { type ComparedCase, MUST_HOLD, type ParityResult, resultOf } from "./parity-result.ts";
import { raceOf } from "./race.ts";

/** What is compared. */
export interface ParityOptions extends LabOptions {
  /** What stands on the model's side: each strategy, mirror and pinning policy that twins are of. */
  readonly plugins: readonly Plugin[];
}

/**
 * Runs every law on the model and in the guest, and compares what each step of a program answered. A subject that the model
 * does not have is held to the laws alone. Programs that look at nothing of their subject are run on the first only.
 *
 * @throws ModuleRefused when a module cannot be loaded
 * @throws NoGuests when no guest can be booted; one that does not boot is the problem of the law that needed it
 */
export async function* parityResultsOf(
  subjects: readonly SubjectDefinition[],
  options: ParityOptions,
): AsyncGenerator<ParityResult, void, void> {
  yield* inParallel(subjects, options.jobs ?? 1, async function* (next) {
    const laboratory = new Laboratory(options.modules, options.stop);
    try {
      for (let subject = next(); subject !== undefined; subject = next()) {
        const trial = subject.trial;
        const alone = subjects.find((other) => other.trial === trial)?.name ?? subject.name;
        const { racyRuns = RACY_RUNS, seed = 1 } = options;
        const on = modelSideOf(subject, options.plugins);
        const compared = { subject, alone, on, laboratory, racyRuns, seed };
        for (const law of selectLaws(options.laws)) yield await compareLaw(law, compared);
        const problems = await complaintsAfterwards(subject, laboratory);
        if (problems.length > 0) yield afterwards(subject, problems);
      }
    } finally {
      await laboratory.discard();
    }
  });
}

/** That the kernel complains after the last program, which is against no law in particular. */
function afterwards({ name: subject }: SubjectDefinition, problems: readonly string[]): ParityResult {
  return {
    subject,
    law: AFTERWARDS,
    status: "disagree",
    model: MUST_HOLD,
    linux: problems.join("\n"),
    reason: "the kernel complains after the last program",
    programs: [],
    races: [],
    stale: [],
  };
}

interface Compared {
  readonly subject: SubjectDefinition;
  /** The subject that programs are run on which look at nothing of it. */
  readonly alone: string;
  /** The same on the model; undefined where there is none. */
  readonly on: Contender | undefined;
  readonly laboratory: Laboratory;
  readonly racyRuns: number;
  readonly seed: number;
}

async function compareLaw(law: AnyLaw, compared: Compared): Promise<ParityResult> {
  const about = { subject: compared.subject.name, law: law.id };
  const skip = (reason: string): ParityResult => {
    return { ...about, status: "skip", model: "", linux: "", reason, programs: [], races: [], stale: [] };
  };
  if (law.level === "untested") return skip(law.reason);
  if (law.level === "model-only") return skip("user space cannot see it");
  compared.laboratory.law = law.id;
  const tried: TriedCase[] = [];
  const cases: TriedBoth[] = [];
  for (const lawCase of law.cases) {
    if (lawCase.kinds === "one" && compared.subject.name !== compared.alone) {
      const why = `it is not about the driver: ${compared.alone} is enough`;
      tried.push({ lawCase, end: { kind: "excluded", why } });
      continue;
    }
    const one = await compareCase(lawCase, compared);
    tried.push(...one.tried);
    if (one.tried.some(({ end }) => end.kind === "run")) cases.push(one);
  }
  if (cases.length === 0) return skip(standingOf(tried.map(({ end }) => end)).reason);
  const explanations = (compared.subject.explained ?? []).filter((explained) => explained.law === law.id);
  const explain = (one: TriedBoth): ExplainedCase =>
    one.model === undefined
      ? explainAlone(one, one.tried, explanations)
      : explainCase(one, about, explainedDifferences);
  const stale = [
    ...labStanding(tried, explanations).stale,
    ...cases.flatMap((one) => staleExplanations(one, about, explainedDifferences)),
  ];
  return resultOf(about, cases, explain, stale);
}

/** A program that was run on both sides, with each of its runs in the guest. */
interface TriedBoth extends ComparedCase {
  readonly tried: readonly TriedCase[];
}

async function compareCase(lawCase: LawCase, compared: Compared): Promise<TriedBoth> {
  const { subject, on, laboratory, racyRuns, seed } = compared;
  const tried: TriedCase[] = [];
  const runs: (readonly ObservedStep[])[] = [];
  let broken: readonly string[] = [];
  const isRacy = lawCase.schedule === "racy";
  for (let run = 0; run < (isRacy ? racyRuns : 1); run++) {
    const observer = new StepObserver();
    const watched = recordedCase(lawCase, (line, step) => observer.note(line, step));
    const {
      end,
      steps: lines,
      guest,
    } = await runCaseInLab(watched, subject, laboratory, raceSeed(seed, run));
    if (guest === "spoilt") await laboratory.discard();
    tried.push({ lawCase, end });
    if (end.kind === "excluded" || guest === "none") break;
    runs.push(observer.steps);
    if (end.problems.length === 0) continue;
    broken = isRacy ? [`run ${run + 1} of ${racyRuns}, with seed ${seed}:`, ...lines] : lines;
    break;
  }
  const { when } = lawCase;
  const linux = tried.flatMap(({ end }) => (end.kind === "run" ? end.problems : []));
  const base = { when, tried, linux: [...new Set(linux)], broken, differences: [] };
  if (runs.length === 0) return base;
  if (isRacy) return { ...base, ...comparedRaces(lawCase, on, runs) };
  const model = on === undefined ? undefined : runOnModel(lawCase, on);
  if (model === undefined) return base;
  return { ...base, model: model.problems, differences: differencesIn(model.steps, runs[0] ?? []) };
}

/** What was seen in the guest, held against what the model allows. */
function comparedRaces(
  lawCase: LawCase,
  on: Contender | undefined,
  runs: readonly (readonly ObservedStep[])[],
): Partial<ComparedCase> {
  if (on === undefined) return { race: raceOf(lawCase.when, runs) };
  const found = allowedOnModel(lawCase, on);
  const allowed = new Set(found.outcomes.keys());
  const distinct = new Map(runs.map((steps) => [outcomeVector(steps), steps]));
  const strange = found.complete ? [...distinct].filter(([vector]) => !allowed.has(vector)) : [];
  const model = `one of ${allowed.size} other outcomes`;
  const differences = strange.map(([linux, steps]) => ({
    model,
    linux,
    steps: [...steps.map(({ line }) => line), `model: ${model}`, ...allowed],
  }));
  return { model: found.problems, differences, race: raceOf(lawCase.when, runs, found), allowed };
}
