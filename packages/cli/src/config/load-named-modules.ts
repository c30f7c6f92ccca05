import { isBuiltin } from "node:module";
import {
  anyOf,
  type NamedPlugins,
  nearestName,
  type PluginRegistry,
  type Problem,
} from "@nopage/core/wiring";
import { createModuleLoader, type ModuleLoader } from "./load-module.ts";
import { looksLikePath, moduleId, nearestModule } from "./module-path.ts";
import { whyNotLoaded } from "./why-not-loaded.ts";

/** A setting that names a plugin, as it was written. */
export interface Naming {
  readonly path: "strategy" | "pinning" | "device.name";
  readonly name: string;
  /** The file that names it, or one in the working directory for a flag: modules are looked up from there. */
  readonly from: string;
}

/** The names by which the plugins are registered, as far as modules gave them, and what went wrong. */
export interface NamedModules {
  readonly names: ReadonlyMap<Naming["path"], string>;
  readonly problems: readonly Problem[];
}

/**
 * A strategy, a pinning policy and a device may be named by the module that exports it: a package, or a path. Loads those
 * modules, registers what they export, and answers with the name of the one plugin of the right kind in each.
 *
 * What is a registered name is left alone, and so is what is neither that nor a path nor a package.
 */
export async function loadNamedModules(
  namings: readonly Naming[],
  registry: PluginRegistry,
): Promise<NamedModules> {
  const names = new Map<Naming["path"], string>();
  const problems: Problem[] = [];
  for (const naming of namings) {
    const plugins = pluginsOf(naming.path, registry);
    const load = createModuleLoader(naming.from);
    if (plugins.find(naming.name) !== undefined || !isModule(naming, load)) continue;
    try {
      const exports = await load(moduleId(naming.name, naming.from));
      names.set(naming.path, registry.registerOne(exports, naming.name, plugins.kind));
    } catch (failure) {
      const why = whyNotLoaded(failure, naming.from).join("; ");
      const expected = `the name of a ${plugins.kind.title} (${anyOf(plugins.names())}), or a module that exports one, but ${why}`;
      problems.push({ path: naming.path, value: naming.name, expected, nearest: nearestTo(naming, plugins) });
    }
  }
  return { names, problems };
}

function isModule({ name, from }: Naming, load: ModuleLoader): boolean {
  if (looksLikePath(name) || name.includes("/")) return true;
  return !isBuiltin(name) && load.canResolve(name) && moduleId(name, from) === name;
}

/** A module in the folder where the path leads, or a registered name. */
function nearestTo(naming: Naming, plugins: NamedPlugins<{ readonly name: string }>): string | undefined {
  const { name, from } = naming;
  return looksLikePath(name) ? nearestModule(name, from) : nearestName(name, plugins.names());
}

function pluginsOf(path: Naming["path"], registry: PluginRegistry): NamedPlugins<{ readonly name: string }> {
  if (path === "strategy") return registry.strategies;
  return path === "pinning" ? registry.pinning : registry.devices;
}
