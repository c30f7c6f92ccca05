import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { PackageName } from "./package-name.ts";

/** The files of a package to be made: contents by path, in the order in which they are written. */
export type PackageFiles = ReadonlyMap<string, string>;

/**
 * The templates are real packages, linted and type-checked where they lie; what differs from one package to the next is
 * called in them by these names.
 */
const placeholders = /"name": "my-strategy"|my-strategy|myStrategy|workspace:\^/g;

/** The files of a template, with a name put into their paths and contents, and this version of our own packages. */
export function fillTemplate(kind: "strategy", name: PackageName, version: string): PackageFiles {
  const files = readTemplate(kind);
  const identifier = identifierFor(name.base, [...files.values()].join("\n"));
  const words: Readonly<Record<string, string>> = {
    '"name": "my-strategy"': `"name": ${JSON.stringify(name.full)}`,
    "my-strategy": name.base,
    myStrategy: identifier,
    "workspace:^": `^${version}`,
  };
  const fill = (text: string) =>
    text.replace(placeholders, (placeholder) => words[placeholder] ?? placeholder);
  return new Map([...files].map(([path, text]) => [fill(path), fill(text)]));
}

/** A file whose name begins with a dot is left out of packages, and so begins with an underscore here. */
function readTemplate(kind: "strategy"): PackageFiles {
  const folder = fileURLToPath(new URL(`../../templates/${kind}/`, import.meta.url));
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((path) => !path.startsWith("node_modules/"))
    .sort();
  return new Map(
    paths.map((path) => [path.replace(/^_/, "."), readFileSync(join(folder, path), "utf8")] as const),
  );
}

/**
 * The name in camel case. A single word may be one that the language keeps for itself, and what a template declares or
 * imports must not be declared twice, so such a name gets another word.
 */
function identifierFor(base: string, template: string): string {
  const camel = base.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const used = new Set(template.replaceAll("myStrategy", "").match(/\w+/g));
  const isPlain = camel !== base && !used.has(camel);
  return isPlain ? camel : `${camel}Strategy`;
}
