import { isBuiltin } from "node:module";
import { join } from "node:path";
import type { DeviceMirror, MappingStrategy, PinningPolicy } from "@nopage/core";
import { anyOf, nearestName, type PluginRegistry, type Problem } from "@nopage/core/wiring";
import { createModuleLoader, type ModuleLoader } from "../config/load-module.ts";
import { looksLikePath, moduleId, nearestModule } from "../config/module-path.ts";
import { whyNotLoaded } from "../config/why-not-loaded.ts";

/** What there are laws for. */
export type Conformable = MappingStrategy | DeviceMirror | PinningPolicy;

/**
 * The plugins that words name, each by its name or by a module that exports it or several, which is registered then; all that
 * are registered where there are no words.
 */
export async function findConformable(
  words: readonly string[],
  directory: string,
  registry: PluginRegistry,
): Promise<{ readonly plugins: readonly Conformable[]; readonly problems: readonly Problem[] }> {
  if (words.length === 0) return { plugins: allOf(registry), problems: [] };
  const from = join(directory, "nopage.config.js");
  const load = createModuleLoader(from);
  const plugins = new Set<Conformable>();
  const problems: Problem[] = [];
  for (const word of words) {
    const named = allOf(registry).filter(({ name }) => name === word);
    const found = named.length > 0 ? named : await loadFrom(word, { from, load, registry });
    if ("expected" in found) problems.push(found);
    else for (const plugin of found) plugins.add(plugin);
  }
  return { plugins: [...plugins], problems };
}

interface Surroundings {
  readonly from: string;
  readonly load: ModuleLoader;
  readonly registry: PluginRegistry;
}

async function loadFrom(
  word: string,
  { from, load, registry }: Surroundings,
): Promise<readonly Conformable[] | Problem> {
  const names = namesOf(registry);
  const known = `the name of a strategy, a mirror or a pinning policy (${anyOf(names)})`;
  const problem = (expected: string): Problem => {
    const nearest = looksLikePath(word) ? nearestModule(word, from) : nearestName(word, names);
    return { path: "nopage conform", value: word, expected, nearest };
  };
  const isModule = looksLikePath(word) || word.includes("/") || (!isBuiltin(word) && load.canResolve(word));
  if (!isModule) return problem(`${known}, or a package or path of a module that exports one`);
  try {
    const exported = new Set<unknown>(Object.values(await load(moduleId(word, from))));
    const before = allOf(registry).filter((plugin) => exported.has(plugin));
    if (before.length > 0) return before;
    const own = new Set(allOf(registry));
    registry.registerModule(await load(moduleId(word, from)), word);
    const found = allOf(registry).filter((plugin) => !own.has(plugin));
    return found.length > 0 ? found : problem(`${known}, but this module exports device drivers only`);
  } catch (failure) {
    const why = whyNotLoaded(failure, from).join("; ");
    return problem(`${known}, or a module that exports one, but ${why}`);
  }
}

/** The names that words may be. */
export function namesOf(registry: PluginRegistry): readonly string[] {
  return allOf(registry).map(({ name }) => name);
}

function allOf({ strategies, mirrors, pinning }: PluginRegistry): readonly Conformable[] {
  return [...strategies.all(), ...mirrors.all(), ...pinning.all()];
}
