import { isBuiltin } from "node:module";
import type { Problem } from "@nopage/core/wiring";

/** The name of a package to be made, and what follows from it. */
export interface PackageName {
  /** As npm knows it, with its scope if it has one. */
  readonly full: string;
  /** Without the scope: names the plugin, the folder and the files. */
  readonly base: string;
}

/** What npm allows at most, scope included. */
const LONGEST_NAME = 214;

/** Narrower than npm: dots and underscores are no part of a plugin's or a file's name here. */
const kebabCase = /^(?:@[a-z0-9][a-z0-9._-]*\/)?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;

/** Names that are in use already: each with what has it. */
export type TakenNames = ReadonlyMap<string, string>;

/**
 * Whether a package may be called so: npm takes the name, it says nothing that Node or the package's own dependencies say
 * already, and no plugin has it.
 */
export function checkPackageName(written: string, taken: TakenNames): PackageName | Problem {
  const problem = (expected: string, nearest: string | undefined): Problem => {
    return { path: "NAME", value: written, expected, nearest };
  };
  const base = kebabCase.exec(written)?.[1];
  if (base === undefined) {
    const expected =
      "a name for a package: lower-case letters and digits in words joined by hyphens, a letter first, and a scope before it if it has one";
    return problem(expected, nearestTo(written));
  }
  if (written.length > LONGEST_NAME) {
    return problem(`a name of at most ${LONGEST_NAME} letters, which is what npm takes`, undefined);
  }
  const owner =
    taken.get(written) ?? taken.get(base) ?? (isBuiltin(written) ? "a module of Node" : undefined);
  if (owner !== undefined) return problem(`a name that is not ${owner} already`, free(base, taken));
  return { full: written, base };
}

/** What was meant, in the letters that are allowed; undefined when nothing is left of it. */
function nearestTo(written: string): string | undefined {
  const [, scope = "", rest = written] = /^(@[a-z0-9][a-z0-9._-]*\/)(.*)$/s.exec(written) ?? [];
  const words = rest
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const name = words.join("-").replace(/^[0-9-]+/, "");
  return name === "" ? undefined : `${scope}${name}`.slice(0, LONGEST_NAME);
}

function free(base: string, taken: TakenNames): string {
  const candidate = `my-${base}`;
  return taken.has(candidate) ? free(candidate, taken) : candidate;
}
