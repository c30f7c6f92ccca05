import type { BackingKind } from "../contract/backing.ts";
import type { DeviceDriver } from "../contract/device-driver.ts";
import type { MappingStrategy } from "../contract/strategy.ts";
import { checkMachine } from "./machine-shape.ts";
import type { PluginRegistry } from "./plugin-registry.ts";
import { anyOf, type Problem } from "./problem.ts";
import type { WorldSettings } from "./world-settings.ts";

/** Whether a strategy can show at least one of the kinds of memory that a device's driver has to show. */
export function canShow(strategy: MappingStrategy, driver: DeviceDriver): boolean {
  return strategy.supports.backing.some((kind) => driver.supports.backing.includes(kind));
}

/** Everything that stands in the way of a world with these settings; nothing when it can be composed. */
export function checkSettings(settings: WorldSettings, registry: PluginRegistry): readonly Problem[] {
  const problems: Problem[] = [];
  const strategy = registry.strategies.find(settings.strategy);
  const driver = registry.devices.find(settings.device?.name);
  if (strategy === undefined) problems.push(unknownStrategy(settings.strategy, registry));
  if (registry.pinning.find(settings.pinning) === undefined) {
    problems.push(registry.pinning.unknown(settings.pinning));
  }
  if (driver === undefined) problems.push(registry.devices.unknown(settings.device?.name));
  if (strategy !== undefined && driver !== undefined && !canShow(strategy, driver)) {
    problems.push(cannotShow(strategy, driver, registry));
  } else if (strategy !== undefined && driver !== undefined) {
    const wanted = driver.shows?.(settings.device?.options);
    if (wanted !== undefined && driver.supports.backing.includes(wanted)) {
      if (!strategy.supports.backing.includes(wanted))
        problems.push(cannotShowIt(strategy, wanted, registry));
    }
  }
  problems.push(...checkMachine(settings.machine));
  return problems;
}

/** A mirror is named where a strategy belongs: told is what it is, and how it is put to use. */
function unknownStrategy(name: unknown, { strategies, mirrors, pinning }: PluginRegistry): Problem {
  const problem = strategies.unknown(name);
  if (mirrors.find(name) === undefined) return problem;
  const followers = pinning.all().filter(({ supports }) => supports.holdsBy === "notifier");
  const how =
    followers.length === 0
      ? "a pinning policy is built on one"
      : `to run with one, set pinning to ${anyOf(followers.map((policy) => policy.name))}`;
  const expected = `${problem.expected}. It is a mirror, a page table of the device's own that follows the process's: ${how}`;
  return { ...problem, expected, nearest: undefined };
}

function cannotShow(strategy: MappingStrategy, driver: DeviceDriver, registry: PluginRegistry): Problem {
  const able = registry.strategies
    .all()
    .filter((other) => canShow(other, driver))
    .map(({ name }) => name);
  const shown = driver.supports.backing.join(", ");
  const own = strategy.supports.backing.join(", ");
  const who = able.length === 0 ? "but none that is registered can" : `which ${anyOf(able)} can`;
  return {
    path: "strategy",
    value: strategy.name,
    expected: `a strategy that can show what ${driver.name} has (${shown}), ${who}; ${strategy.name} shows ${own}`,
    nearest: able[0],
  };
}

/** The options insist on a kind of memory that the strategy has no way to. */
function cannotShowIt(strategy: MappingStrategy, wanted: BackingKind, registry: PluginRegistry): Problem {
  const able = registry.strategies
    .all()
    .filter(({ supports }) => supports.backing.includes(wanted))
    .map(({ name }) => name);
  const who = able.length === 0 ? "but none that is registered can" : `which ${anyOf(able)} can`;
  const own = strategy.supports.backing.join(", ");
  return {
    path: "strategy",
    value: strategy.name,
    expected: `a strategy that can show ${wanted} memory, ${who}; ${strategy.name} shows ${own}`,
    nearest: able[0],
  };
}
