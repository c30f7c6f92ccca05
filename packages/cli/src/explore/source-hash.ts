import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

/** What code a counterexample was found in: changed code has another hash. */
export interface SourceIdentity {
  readonly name: string;
  /** The version of its package; empty for a module outside of any. */
  readonly version: string;
  /** SHA-256 of its text: of the module, or of all modules of the package. */
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
 * that is loaded counts.
 *
 * @param builtIn the package that the plugin came from, where it came with the command
 */
export function pluginIdentity(word: string, builtIn: string | undefined, directory: string): SourceIdentity {
  if (builtIn !== undefined) return { ...packageIdentity(builtIn), name: word };
  const path = resolve(directory, word);
  const isFile = existsSync(path) && statSync(path).isFile();
  const file = isFile ? path : createRequire(join(directory, "nopage.config.js")).resolve(word);
  return { name: word, version: "", hash: hashOf([readFileSync(file)]) };
}

function hashOf(texts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  return hash.digest("hex");
}
