import { describeProblem, type Problem } from "@nopage/core/wiring";
import { builtInRegistry } from "../built-in-plugins.ts";
import type { Flags } from "../config/flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { runTable } from "../report/run-table.ts";
import { closingSentence, openingSentence } from "../report/sentences.ts";
import { findSignal, isSignal } from "../run/find-signal.ts";
import { type Choice, planRuns } from "../run/plan-runs.ts";
import { whatIsRun } from "../run/recording.ts";
import { type Misfit, runAll } from "../run/run-all.ts";
import { compareRuns, Schedule, settingsOf } from "../run/schedule.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** How much is run, and how the results are printed. */
export interface RunOptions {
  readonly extent: Choice["extent"];
  readonly format: "table" | "json";
}

/** `nopage run`: acquires a signal through the driver, and checks what arrives against the source. */
export async function run(flags: Flags, { extent, format }: RunOptions, output: Output): Promise<ExitCode> {
  const registry = builtInRegistry();
  const configuration = await readConfiguration(output.directory, flags, registry);
  const { chooser, place, settings } = configuration;
  // Flags may name a module; what it exports is in the settings.
  const strategy = flags.strategy === undefined ? undefined : settings.strategy;
  const pinning = flags.pinning === undefined ? undefined : settings.pinning;
  const signal = await findSignal(configuration.signal);
  const plan = planRuns(settings, registry, { extent, strategy, pinning });
  const { record } = flags;
  const schedule = new Schedule({ chooser, record, directory: output.directory, runs: plan.runs });
  const differing = isSignal(signal) ? compareRuns(schedule, plan.runs, signal, "nothing") : [signal];
  const found = [...plan.problems, ...schedule.problems, ...differing].map(place);
  const problems = withoutEchoes(configuration.problems, found);
  if (problems.length > 0 || !isSignal(signal)) throw new UsageError(problems);

  const { results, misfits } = runAll(plan.runs, {
    registry,
    signal,
    newChooser: () => schedule.newChooser(),
    announce: output.progress,
  });
  output.progress(undefined);
  const placed = misfits.map((misfit) => ({ ...misfit, problems: misfit.problems.map(place) }));
  if (results.length === 0) throw new UsageError(withoutRepeats(placed));
  schedule.finish(() => whatIsRun(settingsOf(plan.runs), signal, "nothing"));
  for (const misfit of placed) output.complain(leftOut(misfit));
  output.print(
    format === "json"
      ? `${JSON.stringify({ runs: results }, null, 2)}\n`
      : `${openingSentence(signal, settings, chooser)}\n${runTable(results, output.columns)}\n${closingSentence(results)}`,
  );
  return results.every(({ failures }) => failures.length === 0) ? exitCodes.holds : exitCodes.broken;
}

/** Why a run was left out, in a line. */
export function leftOut({ strategy, pinning, problems }: Misfit): string {
  return `${strategy} with ${pinning} is left out: ${problems.map(describeProblem).join("; ")}\n`;
}

/** What is wrong for every strategy is told once. */
export function withoutRepeats(misfits: readonly Misfit[]) {
  const problems = misfits.flatMap((misfit) => misfit.problems);
  return [...new Map(problems.map((problem) => [describeProblem(problem), problem])).values()];
}

/** All problems; a setting that is wrong already is not told a second time for what follows from that. */
export function withoutEchoes(first: readonly Problem[], more: readonly Problem[]): readonly Problem[] {
  const told = new Set(first.map(({ path }) => path));
  return [...first, ...more.filter(({ path }) => !told.has(path))];
}
