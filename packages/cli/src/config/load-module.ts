import { createJiti } from "jiti";
import { virtualModules } from "./virtual-modules.ts";

/** What a module exports, by name; `default` is the module itself where it has no default export. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/**
 * A function that loads modules, in TypeScript or not, as seen from a file.
 *
 * What they import of this workspace is what this process already has, wherever they lie and whatever is installed
 * beside them: a second copy of the core would have classes and constants of its own.
 */
export function createModuleLoader(from: string): (id: string) => Promise<ModuleExports> {
  const jiti = createJiti(from, { interopDefault: true, virtualModules });
  return async (id) => {
    try {
      // Asked for synchronously it compiles every module, also those that Node could load, and so sees every import.
      return jiti(id) as ModuleExports;
    } catch (failure) {
      if (!isTopLevelAwait(failure)) throw failure;
      return (await jiti.import(id)) as ModuleExports;
    }
  };
}

function isTopLevelAwait(failure: unknown): boolean {
  return (
    failure instanceof SyntaxError && failure.message.startsWith("await is only valid in async functions")
  );
}
