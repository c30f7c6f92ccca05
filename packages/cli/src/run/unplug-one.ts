import { compose, type PluginRegistry, type WorldSettings } from "@nopage/core/wiring";
import { brokenAtUnplug, type Signal, type UnplugOutcome, unplugAcquisition } from "@nopage/device-highway";

/** One acquisition whose card was pulled out: what `--json` prints of it. */
export interface UnplugResult extends UnplugOutcome {
  readonly strategy: string;
  readonly pinning: string;
  /** What went wrong, a phrase each. */
  readonly broken: readonly string[];
}

/** Acquires a signal in a world of its own, and pulls the card out at a virtual time. */
export function unplugOne(
  settings: WorldSettings,
  registry: PluginRegistry,
  signal: Signal,
  at: number,
): UnplugResult {
  const outcome = unplugAcquisition(compose(settings, registry), signal, at);
  const { strategy, pinning } = settings;
  return { strategy, pinning, ...outcome, broken: brokenAtUnplug(outcome) };
}
