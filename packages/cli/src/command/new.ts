import { resolve } from "node:path";
import { anyOf, nearestName, type Problem } from "@nopage/core/wiring";
import { builtInRegistry } from "../built-in-plugins.ts";
import { fillTemplate } from "../create/fill-template.ts";
import { checkPackageName, type TakenNames } from "../create/package-name.ts";
import { checkFolder, notWritable, writePackage } from "../create/write-package.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** What was typed after `nopage new`. */
export interface NewRequest {
  readonly kind: string | undefined;
  readonly name: string | undefined;
  /** The folder to write into; left out: one of the package's name in the working directory. */
  readonly dir: string | undefined;
  /** Which version of our own packages it depends on. */
  readonly version: string;
}

/** `nopage new`: writes a package with a plugin that keeps the laws, for its author to go on from. */
export function newPackage(request: NewRequest, format: "table" | "json", output: Output): ExitCode {
  const { kind, name: written, version } = request;
  const problems = checkKind(kind);
  const name = written === undefined ? missingName : checkPackageName(written, takenNames());
  if ("path" in name) throw new UsageError([...problems, name]);
  const dir = request.dir ?? name.base;
  const at = request.dir === undefined ? "NAME" : "--dir";
  const folder = resolve(output.directory, dir);
  const occupied = checkFolder(folder, at, dir);
  if (occupied !== undefined) problems.push(occupied);
  if (problems.length > 0) throw new UsageError(problems);

  const files = fillTemplate("strategy", name, version);
  try {
    writePackage(folder, files);
  } catch (failure) {
    throw new UsageError([notWritable(failure, at, dir)], failure);
  }
  const paths = [...files.keys()];
  output.print(
    format === "json"
      ? `${JSON.stringify({ name: name.full, directory: folder, files: paths }, null, 2)}\n`
      : `${dir} holds the package ${name.full}: ${paths.join(", ")}.\n\n${nextSteps(dir, name.base)}`,
  );
  return exitCodes.holds;
}

const kinds = ["strategy"] as const;

function checkKind(kind: string | undefined): Problem[] {
  if (kinds.some((known) => known === kind)) return [];
  const expected = `what is to be made: ${anyOf(kinds)}`;
  const nearest = (kind === undefined ? undefined : nearestName(kind, kinds)) ?? kinds[0];
  return [{ path: "nopage new", value: kind, expected, nearest }];
}

const missingName: Problem = {
  path: "NAME",
  value: undefined,
  expected: "a name for the package, as in nopage new strategy my-strategy",
  nearest: undefined,
};

/** What a package cannot be called: as a plugin that is here already, or as a package that it is to depend on. */
function takenNames(): TakenNames {
  const { strategies } = builtInRegistry();
  const strategy = strategies.names().map((name) => [name, "a strategy that comes with nopage"] as const);
  const used = ["@nopage/core", "@nopage/testkit", "nopage", "typescript", "vitest"];
  return new Map([...strategy, ...used.map((name) => [name, "a package that it depends on"] as const)]);
}

function nextSteps(dir: string, base: string): string {
  return [
    "Next:",
    `  cd ${JSON.stringify(dir).slice(1, -1)}`,
    "  npm install",
    "  npm test               # the laws, on every kind of page table",
    "  npm run typecheck",
    "  npm start              # the Highway driver acquires a signal on it",
    `\nThen change src/${base}.ts: its comments say where, and README.md how to go on.\n`,
  ].join("\n");
}
