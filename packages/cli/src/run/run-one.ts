import { formatViolation } from "@nopage/core";
import { compose, describeLeak, type PluginRegistry, type WorldSettings } from "@nopage/core/wiring";
import { acquire, LoadedHighway, type Signal } from "@nopage/device-highway";
import { UsageError } from "../usage-error.ts";
import { startCounting } from "./counters.ts";
import { type DuringDma, failuresOf, type RunResult } from "./run-result.ts";

/**
 * The main job, once: a world of its own, the signal acquired through the driver while threads poll the mapping, the
 * driver unloaded, and everything that was counted.
 *
 * @throws CompositionError when the world cannot be composed, UsageError when its device is none to acquire from
 */
export function runOne(settings: WorldSettings, registry: PluginRegistry, signal: Signal): RunResult {
  const world = compose(settings, registry);
  const { machine, driver } = world;
  if (!(driver instanceof LoadedHighway)) {
    world.close();
    const expected = 'a device to acquire a signal from, which is "highway" only';
    throw new UsageError([
      { path: "device.name", value: settings.device.name, expected, nearest: "highway" },
    ]);
  }
  const backing = driver.binding.backing.memory.kind;
  const stopCounting = startCounting(machine);
  const result = acquire(world, signal);
  const counters = stopCounting();
  const left = world.close();
  const { list } = machine.violations;
  const [first] = list;
  return {
    strategy: settings.strategy,
    pinning: settings.pinning,
    geometry: machine.geometry.name,
    backing,
    signal: result.signal,
    acquired: result.acquired,
    ...counters,
    duringDma: duringDma(result.waits, result.sigbus),
    polls: result.polls,
    leaks: left.reduce((sum, leak) => sum + leak.count, 0),
    violations: list.length,
    firstViolation: first === undefined ? "" : formatViolation(first),
    failures: failuresOf(result.signal, result.acquired, {
      failure: result.failure,
      wrongValues: result.wrongValues,
      otherTraps: result.otherTraps,
      leaks: left.map(describeLeak),
      violations: list.map(({ kind, message }) => `${kind}: ${message}`),
    }),
  };
}

function duringDma(
  waits: { readonly count: number; readonly longestNs: number },
  sigbuses: number,
): DuringDma {
  const waited = waits.count > 0 ? "waited" : "none";
  return {
    outcome: sigbuses > 0 ? "sigbus" : waited,
    waitedNs: waits.longestNs,
    waits: waits.count,
    sigbuses,
  };
}
