import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  kernelOf,
  type ParityResult,
  parityResultsOf,
  type RandomResult,
  randomResultsOf,
  type SubjectDefinition,
} from "@nopage/linux-lab";
import { conformablePlugins } from "../built-in-plugins.ts";
import { type LabFlags, type LabPlan, readLabPlan } from "../lab/lab-plan.ts";
import { untilCut } from "../lab/until-cut.ts";
import { isSettled, type LabDocument, labJson, labReport } from "../report/lab-report.ts";
import { parityMarkdown } from "../report/parity-markdown.ts";
import { randomJson, randomReport } from "../report/random-report.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** `nopage lab`: runs programs on the model and on a real kernel, in QEMU, and compares what came of them. */
export async function runLab(flags: LabFlags, format: "table" | "json", output: Output): Promise<ExitCode> {
  const plan = await readLabPlan(flags, output.directory);
  return plan.random === undefined
    ? await compareLaws(plan, flags, format, output)
    : await compareRandom(plan, plan.random, format, output);
}

async function compareLaws(
  { subjects, modules, jobs, seed, racyRuns }: LabPlan,
  { law: laws, markdown }: LabFlags,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const results: ParityResult[] = [];
  const options = {
    plugins: conformablePlugins,
    modules,
    jobs,
    seed,
    ...(racyRuns !== undefined && { racyRuns }),
    ...(laws !== undefined && { laws }),
  };
  const cut = await untilCut(
    (stop) => parityResultsOf(subjects, { ...options, stop }),
    (result) => {
      results.push(result);
      output.progress(`${result.subject}: ${result.law} ${result.status}`);
    },
  );
  output.progress(undefined);
  const names = subjects.map(({ name }) => name);
  results.sort((one, other) => names.indexOf(one.subject) - names.indexOf(other.subject));
  const document: LabDocument = { kernel: kernelsOf(subjects), results, cut: cut?.by };
  output.print(
    format === "json" ? labJson(document) : labReport(document, laws === undefined ? "short" : "full"),
  );
  if (markdown !== undefined) {
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(resolve(output.directory, markdown), parityMarkdown(document, date));
  }
  return cut?.code ?? (results.every(isSettled) ? exitCodes.holds : exitCodes.broken);
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
  const cut = await untilCut(
    (stop) => randomResultsOf(subjects, { ...options, stop }),
    (result) => results.push(result),
  );
  output.progress(undefined);
  const document = { kernel: kernelsOf(subjects), seed, results, cut: cut?.by };
  output.print(format === "json" ? randomJson(document) : randomReport(document));
  const code = results.some(({ finding }) => finding !== undefined) ? exitCodes.broken : exitCodes.holds;
  return cut?.code ?? code;
}

function kernelsOf(subjects: readonly SubjectDefinition[]): string {
  return [...new Set(subjects.map((subject) => kernelOf(subject).release))].join(", ");
}
