import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { moduleFile } from "../config/load-module.ts";
import { moduleId } from "../config/module-path.ts";
import { sourcesOf, versionAbove } from "./source-files.ts";

/** What code a counterexample was found in: changed code has another hash. */
export interface SourceIdentity {
  readonly name: string;
  /** The version of its package; empty for a module outside of any. */
  readonly version: string;
  /**
   * SHA-256 of all modules of the package; for a module by itself, of its text, the texts of what it imports from files, directly or
   * not, and the versions of the packages that they need.
   */
  readonly hash: string;
}

const require = createRequire(import.meta.url);

/** A package of this installation. */
export function packageIdentity(name: string): SourceIdentity {
  const entry = require.resolve(name);
  const folder = dirname(entry);
  const { version } = JSON.parse(readFileSync(join(folder, "../package.json"), "utf8")) as {
    version: string;
  };
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .sort();
  return { name, version, hash: hashOf(files.map((file) => readFileSync(join(folder, file)))) };
}

/**
 * What a word of the command line names: a file, a plugin that comes with the command, or a package, of which the module
 * that is loaded counts, and what it imports.
 *
 * @param builtIn the package that the plugin came from, where it came with the command
 */
export function pluginIdentity(word: string, builtIn: string | undefined, directory: string): SourceIdentity {
  if (builtIn !== undefined) return { ...packageIdentity(builtIn), name: word };
  const from = join(directory, "nopage.config.js");
  const file = moduleFile(moduleId(word, from), from);
  if (file === undefined) throw new Error(`${word} was loaded, and is not found`);
  const { files, packages } = sourcesOf(file);
  // By their places beside the module: the same on another machine.
  const texts = files.flatMap((one) => [Buffer.from(`${relative(dirname(file), one)}\n`), readFileSync(one)]);
  const hash = hashOf([...texts, Buffer.from(packages.join("\n"))]);
  return { name: word, version: versionAbove(file), hash };
}

function hashOf(texts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  return hash.digest("hex");
}
