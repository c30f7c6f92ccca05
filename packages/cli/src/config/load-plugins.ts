import type { PluginRegistry, Problem } from "@nopage/core/wiring";
import { createModuleLoader } from "./load-module.ts";
import { looksLikePath, moduleId, nearestModule } from "./module-path.ts";
import { whyNotLoaded } from "./why-not-loaded.ts";

/**
 * Loads modules with plugins and registers what they export.
 *
 * @param modules the setting as it was written
 * @param from the file that names them: paths and packages are looked up from there
 * @returns what went wrong; everything else is registered
 */
export async function loadPlugins(
  modules: unknown,
  from: string,
  registry: PluginRegistry,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  if (!Array.isArray(modules)) return problems;
  const load = createModuleLoader(from);
  for (const [index, module] of modules.entries()) {
    // What is no name at all is a problem of the form, which is told elsewhere.
    if (typeof module !== "string" || module === "") continue;
    try {
      registry.registerModule(await load(moduleId(module, from)), module);
    } catch (failure) {
      const nearest = looksLikePath(module) ? nearestModule(module, from) : undefined;
      for (const why of whyNotLoaded(failure, from)) {
        const expected = `a module with plugins that can be registered, but ${why}`;
        problems.push({ path: `plugins[${index}]`, value: module, expected, nearest });
      }
    }
  }
  return problems;
}
