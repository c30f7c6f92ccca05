import { availableParallelism } from "node:os";
import type { Problem } from "@nopage/core/wiring";
import {
  builtInSubjects,
  kernelOf,
  type LabResult,
  labRequirements,
  labResultsOf,
  type SubjectDefinition,
} from "@nopage/linux-lab";
import { checkLaw } from "../conform/check-conform.ts";
import { findModules } from "../lab/find-modules.ts";
import { findSubjects } from "../lab/find-subjects.ts";
import { labReport } from "../report/lab-report.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** The flags of `nopage lab`, as they were written. */
export interface LabFlags {
  readonly subject?: readonly string[];
  readonly law?: readonly string[];
  readonly module?: readonly string[];
  readonly jobs?: string;
}

/** `nopage lab`: holds drivers of a real kernel to the laws, in QEMU. */
export async function runLab(flags: LabFlags, format: "table" | "json", output: Output): Promise<ExitCode> {
  const named = (flags.subject ?? []).flatMap((word) => word.split(","));
  const { subjects, problems: unknown } = await findSubjects(named, output.directory);
  const { modules, problems: unread } = findModules(flags.module ?? [], output.directory);
  const { jobs, problems: uncounted } = readJobs(flags.jobs);
  const problems = [...unknown, ...(flags.law ?? []).flatMap(checkLaw), ...unread, ...uncounted];
  const all = problems.length > 0 ? problems : missingFor(subjects);
  if (all.length > 0) throw new UsageError(all);
  const results: LabResult[] = [];
  const { law: laws } = flags;
  const options = { modules, jobs, ...(laws !== undefined && { laws }) };
  for await (const result of labResultsOf(subjects, options)) {
    results.push(result);
    output.progress(`${result.subject}: ${result.law} ${result.status}`);
  }
  output.progress(undefined);
  const names = subjects.map(({ name }) => name);
  results.sort((one, other) => names.indexOf(one.subject) - names.indexOf(other.subject));
  const kernels = [...new Set(subjects.map((subject) => kernelOf(subject).release))];
  const document = { kernel: kernels.join(", "), results };
  output.print(format === "json" ? `${JSON.stringify(document, null, 2)}\n` : labReport(document));
  return results.some(({ status }) => status === "broken") ? exitCodes.broken : exitCodes.holds;
}

/** More guests than this need more memory than they save time. */
const MOST_USUAL_JOBS = 4;

/** Guests at the same time: one for every CPU, where nothing else is said, as most programs keep one at work. */
function readJobs(text: string | undefined): {
  readonly jobs: number;
  readonly problems: readonly Problem[];
} {
  const usual = Math.min(MOST_USUAL_JOBS, availableParallelism());
  if (text === undefined) return { jobs: usual, problems: [] };
  if (/^[1-9]\d?$/.test(text)) return { jobs: Number(text), problems: [] };
  const expected = "a whole number from 1 to 99";
  return { jobs: usual, problems: [{ path: "--jobs", value: text, expected, nearest: undefined }] };
}

/** What this machine has to have for the subjects, and has not. */
function missingFor(subjects: readonly SubjectDefinition[]): readonly Problem[] {
  const flavours = new Set(subjects.map(({ kernel }) => kernel ?? "cloud"));
  const missing = new Map(
    [...flavours].flatMap((flavour) =>
      labRequirements(flavour)
        .filter(({ ok }) => !ok)
        .map(({ name, detail }) => [name, detail] as const),
    ),
  );
  return [...missing].map(([path, expected]) => ({ path, value: undefined, expected, nearest: undefined }));
}

/** The subjects that are tried where none is named. */
export const subjectNames: readonly string[] = builtInSubjects.map(({ name }) => name);
