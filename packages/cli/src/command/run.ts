import { randomChooser, runToBlock } from "@nopage/core";
import { CompositionError, type PluginRegistry, type WorldSettings } from "@nopage/core/wiring";
import type { Signal } from "@nopage/device-highway";
import { builtInRegistry } from "../built-in-plugins.ts";
import type { ChooserConfig } from "../config/config.ts";
import type { Flags } from "../config/flags.ts";
import { type Configuration, readConfiguration } from "../config/read-configuration.ts";
import { runTable } from "../report/run-table.ts";
import { closingSentence, openingSentence } from "../report/sentences.ts";
import { type Choice, planRuns } from "../run/combinations.ts";
import { findSignal, isSignal } from "../run/find-signal.ts";
import { runOne } from "../run/run-one.ts";
import type { RunResult } from "../run/run-result.ts";
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
  const { strategy, pinning } = flags;
  const signal = await findSignal(configuration.signal);
  const plan = planRuns(settings, registry, { extent, strategy, pinning });
  const found = [...plan.problems, ...(isSignal(signal) ? [] : [signal])].map(place);
  const problems = [...configuration.problems, ...found];
  if (problems.length > 0 || !isSignal(signal)) throw new UsageError(problems);

  const results = plan.runs.map((own, index) => {
    output.progress(`${own.strategy} with ${own.pinning} (${index + 1} of ${plan.runs.length})`);
    return attempt(own, configuration, registry, signal);
  });
  output.progress(undefined);
  output.print(
    format === "json"
      ? `${JSON.stringify({ runs: results }, null, 2)}\n`
      : `${openingSentence(signal, settings, chooser)}\n${runTable(results, output.columns)}\n${closingSentence(results)}`,
  );
  return results.every(({ failures }) => failures.length === 0) ? exitCodes.holds : exitCodes.broken;
}

/** One run; what cannot be composed is told where the user wrote it. */
function attempt(
  settings: WorldSettings,
  { chooser, place }: Configuration,
  registry: PluginRegistry,
  signal: Signal,
): RunResult {
  // A long signal takes many steps, which is no sign that something hangs.
  const stepLimit = 1_000_000 + signal.bytes.length;
  const machine = { stepLimit, ...settings.machine, chooser: makeChooser(chooser) };
  try {
    return runOne({ ...settings, machine }, registry, signal);
  } catch (failure) {
    const isUsage = failure instanceof CompositionError || failure instanceof UsageError;
    throw isUsage ? new UsageError(failure.problems.map(place), failure) : failure;
  }
}

/** A new one for each run: a random one goes on from where it was. */
function makeChooser(chooser: ChooserConfig) {
  return chooser === "run-to-block" ? runToBlock : randomChooser(chooser.random);
}
