import type { DeviceDriver } from "../contract/device-driver.ts";
import type { PinningPolicy } from "../contract/pinning-policy.ts";
import type { MappingStrategy } from "../contract/strategy.ts";
import { checkPlugin, isPluginName } from "./check-plugin.ts";
import { NamedPlugins } from "./named-plugins.ts";
import { PluginError } from "./plugin-error.ts";
import { driverKind, kindOf, type Plugin, pinningKind, strategyKind } from "./plugin-kind.ts";
import { showValue } from "./problem.ts";

/**
 * Every plugin that a world can be composed from, by kind and name. What is in it has the right form: it is checked
 * when it is registered.
 */
export class PluginRegistry {
  readonly strategies = new NamedPlugins<MappingStrategy>(strategyKind);
  readonly pinning = new NamedPlugins<PinningPolicy>(pinningKind);
  readonly devices = new NamedPlugins<DeviceDriver>(driverKind);

  /**
   * Registers one plugin of any kind.
   *
   * @param source where it came from, such as a package's name or a path, for messages
   * @throws PluginError with every problem of its form, or because its name is taken; then nothing is registered
   */
  register(plugin: Plugin, source: string): void {
    this.#admit(plugin, source);
  }

  /**
   * Registers every plugin that a module exports, and leaves its other exports alone.
   *
   * @returns the names of the plugins
   * @throws PluginError when it exports none, saying what it exports instead, or when one of them is rejected
   */
  registerModule(exports: Readonly<Record<string, unknown>>, source: string): readonly string[] {
    // A default export is often one of the named ones, or the whole module once more.
    const plugins = new Set(Object.values(exports).filter((value) => kindOf(value) !== undefined));
    if (plugins.size === 0) {
      const found = Object.entries(exports).map(([name, value]) => `${name} (${nounFor(value)})`);
      throw new PluginError("the module", source, [
        `it exports ${found.length === 0 ? "nothing" : found.join(", ")} and no plugin; export what defineStrategy, definePinningPolicy or defineDriver answers with`,
      ]);
    }
    return [...plugins].map((plugin) => this.#admit(plugin, source));
  }

  #admit(candidate: unknown, source: string): string {
    const kind = kindOf(candidate);
    if (kind === undefined) {
      throw new PluginError(showValue(candidate), source, [
        "it is neither a strategy nor a pinning policy nor a device driver",
      ]);
    }
    const plugin = candidate as Plugin;
    const problems = checkPlugin(candidate as Readonly<Record<string, unknown>>, kind);
    if (problems.length > 0) {
      const label = isPluginName(plugin.name)
        ? `${kind.title} "${plugin.name}"`
        : `a ${kind.title} without a usable name`;
      throw new PluginError(label, source, problems);
    }
    if (kind === strategyKind) this.strategies.add(plugin as MappingStrategy, source);
    else if (kind === pinningKind) this.pinning.add(plugin as PinningPolicy, source);
    else this.devices.add(plugin as DeviceDriver, source);
    return plugin.name;
  }
}

function nounFor(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
}
