import type { DeviceDriver } from "@nopage/core";
import { type Plugin, PluginRegistry } from "@nopage/core/wiring";
import { highwayDriver } from "@nopage/device-highway";
import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, noneInterval, noneNotifier, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { ghostMm, longterm, quarantine, refcount, reserved } from "@nopage/pinning";

/** What comes with the command, each with the package that it is from, in the order in which lists show it. */
const builtIns: readonly (readonly [Plugin, string])[] = [
  [eagerRemap, "@nopage/eager-remap"],
  [lazyNopage, "@nopage/lazy-nopage"],
  [pageLookup, "@nopage/page-lookup"],
  [pfnNopage, "@nopage/pfn-nopage"],
  [notifierMirror, "@nopage/notifier-mirror"],
  [intervalMirror, "@nopage/notifier-mirror"],
  [refcount, "@nopage/pinning"],
  [longterm, "@nopage/pinning"],
  [ghostMm, "@nopage/pinning"],
  [reserved, "@nopage/pinning"],
  [quarantine, "@nopage/pinning"],
  [noneNotifier, "@nopage/notifier-mirror"],
  [noneInterval, "@nopage/notifier-mirror"],
  [highwayDriver, "@nopage/device-highway"],
];

/** A registry that holds the built-in plugins: the one place that knows them. */
export function builtInRegistry(): PluginRegistry {
  const registry = new PluginRegistry();
  for (const [plugin, source] of builtIns) registry.register(plugin, source);
  return registry;
}

/** The package that a plugin comes from, where it came with the command. */
export function builtInPackageOf(plugin: object): string | undefined {
  return builtIns.find(([own]) => own === plugin)?.[1];
}

/** Those of them that laws can be run on: strategies, mirrors and pinning policies. */
export const conformablePlugins: readonly Exclude<Plugin, DeviceDriver>[] = builtIns.flatMap(([plugin]) =>
  plugin === highwayDriver ? [] : [plugin as Exclude<Plugin, DeviceDriver>],
);
