import type { Chooser } from "@nopage/core";
import { CompositionError, type PluginRegistry, type Problem, type WorldSettings } from "@nopage/core/wiring";
import type { Signal } from "@nopage/device-highway";
import { UsageError } from "../usage-error.ts";
import { runOne } from "./run-one.ts";
import type { RunResult } from "./run-result.ts";

/** What all runs have in common. */
export interface RunContext {
  readonly registry: PluginRegistry;
  readonly signal: Signal;
  /** Decides who runs next: a new one for each run. */
  newChooser(): Chooser;
  /** Called before each run with what is about to run. */
  announce(text: string): void;
}

/** A run that was left out, because what it needs does not go together. */
export interface Misfit {
  readonly strategy: string;
  readonly pinning: string;
  readonly problems: readonly Problem[];
}

/** One run after the other, each in a world of its own; those that cannot be composed are left out and told. */
export function runAll(runs: readonly WorldSettings[], context: RunContext): RunsOf<RunResult> {
  return runEach(runs, context, (settings) => runOne(settings, context.registry, context.signal));
}

/** What came of runs, and those that could not be made. */
export interface RunsOf<R> {
  readonly results: readonly R[];
  readonly misfits: readonly Misfit[];
}

/** The same for whatever is done in each world. */
export function runEach<R>(
  runs: readonly WorldSettings[],
  context: RunContext,
  runIn: (settings: WorldSettings) => R,
): RunsOf<R> {
  const results: R[] = [];
  const misfits: Misfit[] = [];
  for (const [index, settings] of runs.entries()) {
    const { strategy, pinning } = settings;
    context.announce(`${strategy} with ${pinning} (${index + 1} of ${runs.length})`);
    try {
      results.push(runIn(withMachine(settings, context)));
    } catch (failure) {
      if (!(failure instanceof CompositionError || failure instanceof UsageError)) throw failure;
      misfits.push({ strategy, pinning, problems: failure.problems });
    }
  }
  return { results, misfits };
}

function withMachine(settings: WorldSettings, { newChooser, signal }: RunContext): WorldSettings {
  // A long signal takes many steps, which is no sign that something hangs.
  const stepLimit = 1_000_000 + signal.bytes.length;
  return { ...settings, machine: { stepLimit, ...settings.machine, chooser: newChooser() } };
}
