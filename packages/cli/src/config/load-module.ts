import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import { virtualModules } from "./virtual-modules.ts";

/** What a module exports, by name; `default` is the module itself where it has no default export. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/** Loads modules, in TypeScript or not, as seen from a file. */
export interface ModuleLoader {
  (id: string): Promise<ModuleExports>;
  /** Whether there is such a module. */
  canResolve(id: string): boolean;
}

/** What the names of modules end in. */
export const moduleExtensions: readonly string[] = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/**
 * A function that loads modules, in TypeScript or not, as seen from a file.
 *
 * What they import of this workspace is what this process already has, wherever they lie and whatever is installed
 * beside them: a second copy of the core would have classes and constants of its own.
 */
export function createModuleLoader(from: string): ModuleLoader {
  const jiti = createJiti(from, { interopDefault: true, virtualModules });
  const load = async (id: string): Promise<ModuleExports> => {
    try {
      // Asked for synchronously it compiles every module, also those that Node could load, and so sees every import.
      return jiti(id) as ModuleExports;
    } catch (failure) {
      if (!isTopLevelAwait(failure)) throw failure;
      return (await jiti.import(id)) as ModuleExports;
    }
  };
  const canResolve = (id: string): boolean =>
    Object.hasOwn(virtualModules, id) || jiti.esmResolve(id, { try: true }) !== undefined;
  return Object.assign(load, { canResolve });
}

/** The file of a module that can be loaded from there: a path may be written without what it ends in. */
export function moduleFile(id: string, from: string): string | undefined {
  const url = createJiti(from).esmResolve(id, { try: true });
  return url === undefined ? undefined : fileURLToPath(url);
}

function isTopLevelAwait(failure: unknown): boolean {
  return (
    failure instanceof SyntaxError && failure.message.startsWith("await is only valid in async functions")
  );
}
