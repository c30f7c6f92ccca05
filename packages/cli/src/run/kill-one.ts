import { compose, type PluginRegistry, type WorldSettings } from "@nopage/core/wiring";
import {
  brokenPromises,
  harmOf,
  type KillOutcome,
  killAcquisition,
  promisesSafety,
  type Signal,
} from "@nopage/device-highway";

/** One acquisition whose process was killed: what `--json` prints of it. */
export interface KillResult extends KillOutcome {
  readonly strategy: string;
  readonly pinning: string;
  /** Whether the policy says that it survives the death of the process on this machine. */
  readonly promised: boolean;
  /** What went wrong, a phrase each. */
  readonly harm: readonly string[];
  /** What the policy promised and did not keep. */
  readonly broken: readonly string[];
}

/** Acquires a signal in a world of its own, and kills the process at a virtual time. */
export function killOne(
  settings: WorldSettings,
  registry: PluginRegistry,
  signal: Signal,
  at: number,
): KillResult {
  const world = compose(settings, registry);
  const { supports } = world.pinning;
  const rules = world.machine.settings.reservedPages;
  const outcome = killAcquisition(world, signal, at);
  const events = outcome.killedAt === undefined ? [] : (["exit"] as const);
  return {
    strategy: settings.strategy,
    pinning: settings.pinning,
    ...outcome,
    promised: promisesSafety(supports, rules, ["exit"]),
    harm: harmOf(outcome),
    broken: brokenPromises(supports, rules, events, outcome),
  };
}
