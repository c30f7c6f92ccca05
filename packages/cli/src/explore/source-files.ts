import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, parse, resolve } from "node:path";
import { moduleExtensions } from "../config/load-module.ts";
import { virtualModules } from "../config/virtual-modules.ts";

/** What a module is made of: its own file and those that it imports, and the packages that they need. */
export interface ModuleSources {
  /** Absolute paths, the module itself first. */
  readonly files: readonly string[];
  /** Each with its version, as `name@1.2.3`; without one where the package is not there. Sorted. */
  readonly packages: readonly string[];
}

/** What stands in quotes behind `from`, `import` and `require`: all imports, and now and then words of a comment, which do no harm. */
const imported = /\b(?:from|import|require)\s*\(?\s*["']([^"'\n]+)["']/g;

/** A module with all that it imports, directly or not. Packages are not looked into. */
export function sourcesOf(file: string): ModuleSources {
  const files = new Set([file]);
  const packages = new Set<string>();
  for (const path of files) {
    for (const [, name = ""] of readFileSync(path, "utf8").matchAll(imported)) {
      if (!name.startsWith(".") && !name.startsWith("/")) {
        if (isOfOthers(name)) packages.add(withVersion(packageOf(name), path));
        continue;
      }
      const found = fileOf(resolve(dirname(path), name));
      if (found !== undefined) files.add(found);
    }
  }
  return { files: [...files], packages: [...packages].sort() };
}

/** Whether a name is one of a package that this process does not bring along itself. */
function isOfOthers(name: string): boolean {
  return /^[@\w]/.test(name) && !isBuiltin(name) && !Object.hasOwn(virtualModules, name);
}

/** The version in the nearest package.json above a file; empty outside of any package. */
export function versionAbove(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const version = versionIn(join(folder, "package.json"));
    if (version !== undefined || folder === parse(folder).root) return version ?? "";
  }
}

function versionIn(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version?: string };
  return version;
}

/** The file that an import names: as it stands, with an extension, in TypeScript although it says JavaScript, or a folder's index. */
function fileOf(path: string): string | undefined {
  const bare = path.replace(/\.[cm]?js$/, "");
  const candidates = [
    path,
    ...[path, bare, join(path, "index")].flatMap((name) => moduleExtensions.map((end) => name + end)),
  ];
  return candidates.find((name) => existsSync(name) && statSync(name).isFile());
}

/** The package of what is imported: `@nopage/core` of `@nopage/core/contract`. */
function packageOf(name: string): string {
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}

function withVersion(name: string, importer: string): string {
  for (const folder of createRequire(importer).resolve.paths(name) ?? []) {
    const version = versionIn(join(folder, name, "package.json"));
    if (version !== undefined) return `${name}@${version}`;
  }
  return name;
}
