import { pathToFileURL } from "node:url";
import { PluginError, type PluginRegistry, type Problem } from "@nopage/core/wiring";
import { firstLine } from "../report/first-line.ts";
import { createModuleLoader } from "./load-module.ts";

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
    const report = (what: string) =>
      problems.push({ path: `plugins[${index}]`, value: module, expected: what, nearest: undefined });
    try {
      registry.registerModule(await load(module), module);
    } catch (failure) {
      if (failure instanceof PluginError) {
        for (const { plugin, problems } of failure.rejections) {
          report(`plugins that can be registered, but ${plugin} is rejected: ${problems.join("; ")}`);
        }
      } else {
        report(`a module that can be loaded from ${pathToFileURL(from).pathname}, but ${firstLine(failure)}`);
      }
    }
  }
  return problems;
}
