import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { GeometryName } from "@nopage/core";
import type { Problem } from "@nopage/core/wiring";
import type { DividedPlan, LawProgramName, RoundsData } from "@nopage/testkit";
import { geometryNames } from "@nopage/testkit/conform";
import * as v from "valibot";
import { readJson } from "../config/read-json.ts";
import { whyNotRead } from "../config/why-not-read.ts";
import type { SourceIdentity } from "./source-hash.ts";

/** A search that had to stop: the code that it searches, and how far it has come in each program. */
export interface SearchFile {
  readonly plugin: SourceIdentity;
  readonly core: SourceIdentity;
  /** The package of the laws. */
  readonly laws: SourceIdentity;
  /** The laws and families that were asked for; all when left out. */
  readonly law?: readonly string[] | undefined;
  readonly geometry: GeometryName;
  /** How it searches. */
  readonly plan: DividedPlan;
  readonly programs: readonly SavedProgram[];
}

/** How far the search in one program has come. */
export interface SavedProgram {
  readonly program: LawProgramName;
  readonly saved: RoundsData;
}

const identity = v.object({ name: v.string(), version: v.string(), hash: v.string() });

const form = v.object({
  nopage: v.literal("search"),
  version: v.literal(1),
  plugin: identity,
  core: identity,
  laws: identity,
  law: v.optional(v.array(v.string())),
  geometry: v.picklist<readonly GeometryName[]>(geometryNames),
  /** SHA-256 of the plan and the programs. */
  hash: v.string(),
  plan: v.unknown(),
  programs: v.array(v.unknown()),
});

/** Writes a search, all of it or nothing. */
export function writeSearch(path: string, { programs, ...about }: SearchFile): void {
  const lines = programs.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  const hash = hashOf(about.plan, programs);
  const head = JSON.stringify({ nopage: "search", version: 1, ...about, hash }, null, 2);
  writeFileSync(`${path}.part`, `${head.replace(/\n\}$/, "")},\n  "programs": [\n${lines}\n  ]\n}\n`);
  renameSync(`${path}.part`, path);
}

/** A search from a file, or why there is none. */
export function readSearch(path: string): SearchFile | Problem {
  const wrong = (why: string): Problem => {
    const expected = `a search, made by nopage explore PLUGIN --save FILE, but ${why}`;
    return { path: "--resume", value: basename(path), expected, nearest: undefined };
  };
  const read = readJson(path);
  if ("why" in read) return wrong(read.why);
  const { data } = read;
  const { success, output, issues } = v.safeParse(form, data);
  if (!success) return wrong(whyNotRead(data, "search", issues[0]));
  const { plugin, core, laws, law, geometry, hash } = output;
  // What has this hash was written by this command, so its form need not be looked at.
  const plan = output.plan as DividedPlan;
  const programs = output.programs as readonly SavedProgram[];
  if (hash !== hashOf(plan, programs)) return wrong("it was changed after it was written");
  return { plugin, core, laws, law, geometry, plan, programs };
}

/** What has changed of the code since a search was saved; a search in parts of other code would be none. */
export function changesSince(
  path: string,
  saved: SearchFile,
  now: Pick<SearchFile, "plugin" | "core" | "laws">,
): readonly Problem[] {
  return (["plugin", "core", "laws"] as const)
    .filter((one) => saved[one].hash !== now[one].hash)
    .map((one): Problem => {
      const expected = `a search of the code as it is, but ${saved[one].name} has changed since this was saved: begin anew`;
      return { path: "--resume", value: basename(path), expected, nearest: undefined };
    });
}

function hashOf(plan: unknown, programs: readonly unknown[]): string {
  return createHash("sha256")
    .update(JSON.stringify([plan, programs]))
    .digest("hex");
}
