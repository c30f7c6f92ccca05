import { randomInt } from "node:crypto";
import type { WorldSettings } from "@nopage/core/wiring";
import { builtInRegistry } from "../built-in-plugins.ts";
import type { Flags } from "../config/flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { killSentence, killTable } from "../report/kill-table.ts";
import { openingSentence } from "../report/sentences.ts";
import { findSignal, isSignal } from "../run/find-signal.ts";
import { killOne } from "../run/kill-one.ts";
import { planRuns } from "../run/plan-runs.ts";
import { type RunContext, runAll, runEach } from "../run/run-all.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";
import { leftOut, type RunOptions, withoutRepeats } from "./run.ts";

/** `nopage run --kill-at`: the acquiring process is killed; told is what its pinning policy makes of that. */
export async function runKilled(
  flags: Flags,
  { extent, format }: RunOptions,
  output: Output,
): Promise<ExitCode> {
  const registry = builtInRegistry();
  const configuration = await readConfiguration(output.directory, flags, registry);
  const { chooser, place, settings } = configuration;
  const { strategy, pinning, killAt = "random" } = flags;
  const signal = await findSignal(configuration.signal);
  const plan = planRuns(settings, registry, { extent, strategy, pinning });
  const found = [...plan.problems, ...(isSignal(signal) ? [] : [signal])].map(place);
  const problems = [...configuration.problems, ...found];
  if (problems.length > 0 || !isSignal(signal)) throw new UsageError(problems);

  const context: RunContext = { registry, signal, chooser, announce: output.progress };
  const at = killAt === "random" ? chooseTime(plan.runs, context) : Number(killAt);
  const { results, misfits } = runEach(plan.runs, context, (own) => killOne(own, registry, signal, at));
  output.progress(undefined);
  const placed = misfits.map((misfit) => ({ ...misfit, problems: misfit.problems.map(place) }));
  if (results.length === 0) throw new UsageError(withoutRepeats(placed));
  for (const misfit of placed) output.complain(leftOut(misfit));
  const opening = `${openingSentence(signal, settings, chooser)}The process is killed after ${at} ns (again: --kill-at ${at}).\n\n`;
  output.print(
    format === "json"
      ? `${JSON.stringify({ killAt: at, runs: results }, null, 2)}\n`
      : `${opening}${killTable(results, output.columns)}\n${killSentence(results)}`,
  );
  return results.every(({ broken }) => broken.length === 0) ? exitCodes.holds : exitCodes.broken;
}

/** Some time while an undisturbed acquisition is under way. */
function chooseTime(runs: readonly WorldSettings[], context: RunContext): number {
  for (const settings of runs) {
    const [first] = runAll([settings], context).results;
    if (first !== undefined) return randomInt(1, Math.max(2, Math.floor(first.elapsedNs)));
  }
  return 0;
}
