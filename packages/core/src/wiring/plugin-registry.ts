import type { DeviceDriver } from "../contract/device-driver.ts";
import type { DeviceMirror } from "../contract/device-follower.ts";
import type { PinningPolicy } from "../contract/pinning-policy.ts";
import type { MappingStrategy } from "../contract/strategy.ts";
import { checkPlugin, isPluginName } from "./check-plugin.ts";
import { NamedPlugins } from "./named-plugins.ts";
import { PluginError } from "./plugin-error.ts";
import {
  driverKind,
  kindOf,
  mirrorKind,
  type Plugin,
  type PluginKind,
  pinningKind,
  strategyKind,
} from "./plugin-kind.ts";
import { showValue } from "./problem.ts";

interface Candidate {
  readonly plugin: Plugin;
  readonly kind: PluginKind;
}

/**
 * Every plugin that a world can be composed from, by kind and name. What is in it has the right form: it is checked
 * when it is registered, and a registration that fails changes nothing.
 */
export class PluginRegistry {
  readonly strategies = new NamedPlugins<MappingStrategy>(strategyKind);
  readonly mirrors = new NamedPlugins<DeviceMirror>(mirrorKind);
  readonly pinning = new NamedPlugins<PinningPolicy>(pinningKind);
  readonly devices = new NamedPlugins<DeviceDriver>(driverKind);

  /**
   * Registers one plugin of any kind.
   *
   * @param source where it came from, such as a package's name or a path, for messages
   * @throws PluginError with every problem of its form, or because its name is taken
   */
  register(plugin: Plugin, source: string): void {
    const kind = kindOf(plugin);
    if (kind === undefined) {
      const problem = "it is neither a strategy nor a mirror nor a pinning policy nor a device driver";
      throw new PluginError(source, [{ plugin: showValue(plugin), problems: [problem] }]);
    }
    this.#admit([{ plugin, kind }], source);
  }

  /**
   * Registers every plugin that a module exports, and leaves its other exports alone.
   *
   * @returns the names of the plugins
   * @throws PluginError when it exports none, saying what it exports instead, or when any of them is rejected
   */
  registerModule(exports: Readonly<Record<string, unknown>>, source: string): readonly string[] {
    // One plugin may be exported twice, by its name and as the default; a CommonJS module may be one itself.
    const candidates = [...new Set([...Object.values(exports), exports])].flatMap((value): Candidate[] => {
      const kind = kindOf(value);
      return kind === undefined ? [] : [{ plugin: value as Plugin, kind }];
    });
    if (candidates.length === 0) {
      const found = Object.entries(exports).map(([name, value]) => `${name} (${nounFor(value)})`);
      const instead = found.length === 0 ? "nothing at all" : `${found.join(", ")} and no plugin`;
      const problem = `it exports ${instead}; it must export what defineStrategy, defineMirror, definePinningPolicy or defineDriver answers with`;
      throw new PluginError(source, [{ plugin: "the module", problems: [problem] }]);
    }
    this.#admit(candidates, source);
    return candidates.map(({ plugin }) => plugin.name);
  }

  #admit(candidates: readonly Candidate[], source: string): void {
    const rejections = candidates
      .map(({ plugin, kind }, index) => ({
        plugin: label(plugin, kind),
        problems: [
          ...checkPlugin(plugin as unknown as Readonly<Record<string, unknown>>, kind),
          ...this.#nameTaken(plugin, kind, candidates.slice(0, index), source),
        ],
      }))
      .filter(({ problems }) => problems.length > 0);
    if (rejections.length > 0) throw new PluginError(source, rejections);
    for (const { plugin, kind } of candidates) {
      if (kind === strategyKind) this.strategies.add(plugin as MappingStrategy, source);
      else if (kind === mirrorKind) this.mirrors.add(plugin as DeviceMirror, source);
      else if (kind === pinningKind) this.pinning.add(plugin as PinningPolicy, source);
      else this.devices.add(plugin as DeviceDriver, source);
    }
  }

  #nameTaken(
    { name }: Plugin,
    kind: PluginKind,
    before: readonly Candidate[],
    source: string,
  ): readonly string[] {
    const beside = before.some((other) => other.kind === kind && other.plugin.name === name);
    const owner = beside ? source : this.#sourceOf(name, kind);
    if (owner === undefined) return [];
    return [`a ${kind.title} of that name is already registered from ${owner}; every name is given once`];
  }

  #sourceOf(name: string, kind: PluginKind): string | undefined {
    const all = [this.strategies, this.mirrors, this.pinning, this.devices];
    return all.find((plugins) => plugins.kind === kind)?.sourceOf(name);
  }
}

function label({ name }: Plugin, kind: PluginKind): string {
  return isPluginName(name) ? `${kind.title} "${name}"` : `a ${kind.title} without a usable name`;
}

function nounFor(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return value === undefined ? "undefined" : `a ${typeof value}`;
}
