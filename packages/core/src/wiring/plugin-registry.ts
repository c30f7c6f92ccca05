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
    const candidates = candidatesIn(exports, source);
    this.#admit(candidates, source);
    return candidates.map(({ plugin }) => plugin.name);
  }

  /**
   * Registers every plugin that a module exports, for the sake of the only one of a kind among them. What is registered
   * already as the very same object stays as it is: somebody may name a module in two places.
   *
   * @returns the name of that one
   * @throws PluginError as `registerModule` does, and when it exports none of that kind or several
   */
  registerOne(exports: Readonly<Record<string, unknown>>, source: string, kind: PluginKind): string {
    const candidates = candidatesIn(exports, source);
    const wanted = candidates.filter((candidate) => candidate.kind === kind);
    const [one] = wanted;
    if (one === undefined || wanted.length > 1) {
      const found = (wanted.length > 1 ? wanted : candidates).map((own) => label(own.plugin, own.kind));
      const problem =
        one === undefined
          ? `it exports no ${kind.title} but ${found.join(", ")}`
          : `it exports more than one: ${found.join(", ")}; put the module into plugins, and the name of one here`;
      throw new PluginError(source, [{ plugin: "the module", problems: [problem] }]);
    }
    this.#admit(
      candidates.filter(({ plugin, kind: own }) => this.#namedPlugins(own)?.find(plugin.name) !== plugin),
      source,
    );
    return one.plugin.name;
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
    const registered = this.#namedPlugins(kind);
    const owner = beside ? source : registered?.sourceOf(name);
    if (owner === undefined) return [];
    const taken = (registered?.names() ?? []).map((other) => `${other} by ${registered?.sourceOf(other)}`);
    const others = taken.length === 0 ? "" : ` (taken are ${taken.join(", ")})`;
    return [
      `a ${kind.title} of that name is already registered from ${owner}; give this one a name of its own${others}, or leave one of the two modules out`,
    ];
  }

  #namedPlugins(kind: PluginKind): NamedPlugins<Plugin> | undefined {
    const all: readonly NamedPlugins<Plugin>[] = [this.strategies, this.mirrors, this.pinning, this.devices];
    return all.find((plugins) => plugins.kind === kind);
  }
}

/** The plugins among what a module exports; other exports are left alone. */
function candidatesIn(exports: Readonly<Record<string, unknown>>, source: string): readonly Candidate[] {
  // One plugin may be exported twice, by its name and as the default; a CommonJS module may be one itself.
  const candidates = [...new Set([...Object.values(exports), exports])].flatMap((value): Candidate[] => {
    const kind = kindOf(value);
    return kind === undefined ? [] : [{ plugin: value as Plugin, kind }];
  });
  if (candidates.length > 0) return candidates;
  // A loader may put the module itself in place of the default export that it lacks.
  const own = Object.entries(exports).filter(([name, value]) => name !== "default" || !isEmptyModule(value));
  const found = own.map(([name, value]) => `${name} (${nounFor(value)})`);
  const instead = found.length === 0 ? "nothing at all" : `${found.join(", ")} and no plugin`;
  const problem = `it exports ${instead}; it must export what defineStrategy, defineMirror, definePinningPolicy or defineDriver answers with`;
  throw new PluginError(source, [{ plugin: "the module", problems: [problem] }]);
}

function isEmptyModule(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).every((key) => key === "default");
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
