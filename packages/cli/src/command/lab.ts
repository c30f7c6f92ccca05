import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Problem } from "@nopage/core/wiring";
import {
  type GuestModule,
  kernelOf,
  labRequirements,
  type ParityResult,
  parityResultsOf,
  type RandomResult,
  randomResultsOf,
  type SubjectDefinition,
} from "@nopage/linux-lab";
import { conformablePlugins } from "../built-in-plugins.ts";
import { checkFile, checkLaw } from "../conform/check-conform.ts";
import { findModules } from "../lab/find-modules.ts";
import { findSubjects } from "../lab/find-subjects.ts";
import { type LabNumbers, readNumbers } from "../lab/lab-numbers.ts";
import { isSettled, type LabDocument, labJson, labReport } from "../report/lab-report.ts";
import { parityMarkdown } from "../report/parity-markdown.ts";
import { randomJson, randomReport } from "../report/random-report.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** The flags of `nopage lab`, as they were written. */
export interface LabFlags {
  readonly subject?: readonly string[];
  readonly law?: readonly string[];
  readonly module?: readonly string[];
  readonly jobs?: string;
  readonly random?: string;
  readonly seed?: string;
  readonly markdown?: string;
}

/** What is run, once every flag was read. */
interface LabPlan extends LabNumbers {
  readonly subjects: readonly SubjectDefinition[];
  readonly modules: readonly GuestModule[];
}

/** `nopage lab`: runs programs on the model and on a real kernel, in QEMU, and compares what came of them. */
export async function runLab(flags: LabFlags, format: "table" | "json", output: Output): Promise<ExitCode> {
  const plan = await readPlan(flags, output.directory);
  return plan.random === undefined
    ? await compareLaws(plan, flags, format, output)
    : await compareRandom(plan, plan.random, format, output);
}

async function readPlan(flags: LabFlags, directory: string): Promise<LabPlan> {
  const named = (flags.subject ?? []).flatMap((word) => word.split(","));
  const { subjects, problems: unknown } = await findSubjects(named, directory);
  const { modules, problems: unread } = findModules(flags.module ?? [], directory);
  const { problems: uncounted, ...numbers } = readNumbers(flags);
  const problems = [
    ...unknown,
    ...(flags.law ?? []).flatMap(checkLaw),
    ...unread,
    ...uncounted,
    ...checkFile("--markdown", flags.markdown, directory),
  ];
  const all = problems.length > 0 ? problems : missingFor(subjects);
  if (all.length > 0) throw new UsageError(all);
  return { subjects, modules, ...numbers };
}

async function compareLaws(
  { subjects, modules, jobs }: LabPlan,
  { law: laws, markdown }: LabFlags,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const results: ParityResult[] = [];
  const options = { plugins: conformablePlugins, modules, jobs, ...(laws !== undefined && { laws }) };
  for await (const result of parityResultsOf(subjects, options)) {
    results.push(result);
    output.progress(`${result.subject}: ${result.law} ${result.status}`);
  }
  output.progress(undefined);
  const names = subjects.map(({ name }) => name);
  results.sort((one, other) => names.indexOf(one.subject) - names.indexOf(other.subject));
  const document: LabDocument = { kernel: kernelsOf(subjects), results };
  output.print(format === "json" ? labJson(document) : labReport(document));
  if (markdown !== undefined) {
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(resolve(output.directory, markdown), parityMarkdown(document, date));
  }
  return results.every(isSettled) ? exitCodes.holds : exitCodes.broken;
}

async function compareRandom(
  { subjects, modules, jobs, seed }: LabPlan,
  count: number,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const results: RandomResult[] = [];
  const options = {
    count,
    seed,
    plugins: conformablePlugins,
    modules,
    jobs,
    announce: (subject: string) => output.progress(`${subject}: random sequences`),
  };
  for await (const result of randomResultsOf(subjects, options)) results.push(result);
  output.progress(undefined);
  const document = { kernel: kernelsOf(subjects), seed, results };
  output.print(format === "json" ? randomJson(document) : randomReport(document));
  return results.some(({ finding }) => finding !== undefined) ? exitCodes.broken : exitCodes.holds;
}

function kernelsOf(subjects: readonly SubjectDefinition[]): string {
  return [...new Set(subjects.map((subject) => kernelOf(subject).release))].join(", ");
}

/** What this machine has to have for the subjects, and has not. */
function missingFor(subjects: readonly SubjectDefinition[]): readonly Problem[] {
  const missing = new Map(
    subjects
      .flatMap(({ kernel, builds }) => labRequirements(kernel, builds))
      .filter(({ ok }) => !ok)
      .map(({ name, detail }) => [name, detail]),
  );
  return [...missing].map(([path, expected]) => ({ path, value: undefined, expected, nearest: undefined }));
}
