import { randomInt } from "node:crypto";
import type { PluginRegistry, WorldSettings } from "@nopage/core/wiring";
import type { Signal } from "@nopage/device-highway";
import { builtInRegistry } from "../built-in-plugins.ts";
import type { Flags } from "../config/flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { openingSentence } from "../report/sentences.ts";
import { findSignal, isSignal } from "../run/find-signal.ts";
import { planRuns } from "../run/plan-runs.ts";
import { whatIsRun } from "../run/recording.ts";
import { type RunContext, runAll, runEach } from "../run/run-all.ts";
import { compareRuns, Schedule, settingsOf } from "../run/schedule.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";
import { leftOut, type RunOptions, withoutEchoes, withoutRepeats } from "./run.ts";

/** Something that happens in the middle of an acquisition, and how it is told. */
export interface Story<R extends { readonly broken: readonly string[] }> {
  /** The flag that says when, and how it is written. */
  readonly flag: "killAt" | "unplugAt";
  readonly option: "--kill-at" | "--unplug-at";
  /** What happens at the time, as a sentence without its full stop. */
  event(at: number): string;
  /** The same where it did not come to pass, because everything was over by then. */
  missed(at: number): string;
  /** Whether it came to pass in a run. */
  happened(run: R): boolean;
  /** Acquires in a world of its own, and lets it happen at a virtual time. */
  tell(settings: WorldSettings, registry: PluginRegistry, signal: Signal, at: number): R;
  table(runs: readonly R[], width: number | undefined): string;
  sentence(runs: readonly R[]): string;
}

/** `nopage run` with something happening in the middle: on one combination of strategy and policy, or on all. */
export async function runStory<R extends { readonly broken: readonly string[] }>(
  story: Story<R>,
  flags: Flags,
  { extent, format }: RunOptions,
  output: Output,
): Promise<ExitCode> {
  const registry = builtInRegistry();
  const configuration = await readConfiguration(output.directory, flags, registry);
  const { chooser, place, settings } = configuration;
  // Flags may name a module; what it exports is in the settings.
  const strategy = flags.strategy === undefined ? undefined : settings.strategy;
  const pinning = flags.pinning === undefined ? undefined : settings.pinning;
  const when = flags[story.flag] ?? "random";
  const signal = await findSignal(configuration.signal);
  const plan = planRuns(settings, registry, { extent, strategy, pinning });
  const { record } = flags;
  const schedule = new Schedule({ chooser, record, directory: output.directory, runs: plan.runs });
  const happens = (at: string | number) => `${story.option} ${at}`;
  const differing = isSignal(signal) ? compareRuns(schedule, plan.runs, signal, happens(when)) : [signal];
  const found = [...plan.problems, ...schedule.problems, ...differing].map(place);
  const problems = withoutEchoes(configuration.problems, found);
  if (problems.length > 0 || !isSignal(signal)) throw new UsageError(problems);

  const newChooser = () => schedule.newChooser();
  const context: RunContext = { registry, signal, newChooser, announce: output.progress };
  const at = when === "random" ? chooseTime(plan.runs, context) : Number(when);
  const { results, misfits } = runEach(plan.runs, context, (own) => story.tell(own, registry, signal, at));
  output.progress(undefined);
  const placed = misfits.map((misfit) => ({ ...misfit, problems: misfit.problems.map(place) }));
  if (results.length === 0) throw new UsageError(withoutRepeats(placed));
  schedule.finish(() => whatIsRun(settingsOf(plan.runs), signal, happens(at)));
  for (const misfit of placed) output.complain(leftOut(misfit));
  const event = results.some((run) => story.happened(run)) ? story.event(at) : story.missed(at);
  const again = `${event} (again: ${story.option} ${at}).`;
  output.print(
    format === "json"
      ? `${JSON.stringify({ [story.flag]: at, runs: results }, null, 2)}\n`
      : `${openingSentence(signal, settings, chooser)}${again}\n\n${story.table(results, output.columns)}\n${story.sentence(results)}`,
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
