import { readFileSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { loadConfig } from "c12";
import type { Jiti } from "jiti";
import { UsageError } from "../usage-error.ts";
import { createModuleLoader, type ModuleExports, moduleExtensions } from "./load-module.ts";
import { whereItIsWrong } from "./where-it-is-wrong.ts";

/**
 * What a configuration file holds, of whatever format, not checked yet.
 *
 * @throws UsageError when it cannot be read
 */
export async function loadConfigFile(path: string): Promise<unknown> {
  const load = createModuleLoader(path);
  const importDefault = async (id: string): Promise<unknown> => {
    const exports = await load(id);
    const isModule = moduleExtensions.includes(extname(id));
    if (isModule && !hasConfiguration(exports)) throw new Error(noDefault);
    return exports?.["default"];
  };
  try {
    const { config } = await loadConfig({
      name: "nopage",
      cwd: dirname(path),
      configFile: path,
      configFileRequired: true,
      jiti: { import: importDefault } as unknown as Jiti,
      // One file is the whole configuration: nothing is merged in from anywhere else.
      rcFile: false,
      globalRc: false,
      packageJson: false,
      dotenv: false,
      envName: false,
      extend: false,
      giget: false,
    });
    return config;
  } catch (cause) {
    const expected = `a configuration that can be read, but ${complaint(cause, path)}`;
    throw new UsageError(
      [{ path: "configuration", value: basename(path), expected, nearest: undefined }],
      cause,
    );
  }
}

const noDefault = "it exports nothing by default; it must end in export default defineConfig({ … })";

/** Whether a module has a default export, or is one that CommonJS has filled with settings. */
function hasConfiguration(exports: ModuleExports): boolean {
  return "default" in exports || (!("__esModule" in exports) && Object.keys(exports).length > 0);
}

function complaint(cause: unknown, path: string): string {
  // c12 and jiti look into what they loaded before anybody can check that it is an object.
  const isNoObject =
    cause instanceof TypeError && /'\$meta'|'in' operator|reading 'then'/.test(cause.message);
  return isNoObject
    ? "it holds no object with settings"
    : whereItIsWrong(cause, path, readFileSync(path, "utf8"));
}
