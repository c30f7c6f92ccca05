import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { GeometryName } from "@nopage/core";
import type { Problem } from "@nopage/core/wiring";
import type { SavedRun } from "@nopage/testkit";
import { geometryNames } from "@nopage/testkit/conform";
import * as v from "valibot";
import { readJson } from "../config/read-json.ts";
import { whyNotRead } from "../config/why-not-read.ts";
import type { SourceIdentity } from "./source-hash.ts";

/** A failing run with the code that it was found in, and how. */
export interface CounterexampleFile {
  readonly plugin: SourceIdentity;
  readonly core: SourceIdentity;
  /** The package of the laws, whose program it is. */
  readonly laws: SourceIdentity;
  /** Where chance began, for a search that draws. */
  readonly seed?: number | undefined;
  /** The search that found it, in words. */
  readonly search: string;
  readonly run: SavedRun;
}

const position = v.pipe(v.number(), v.integer(), v.minValue(0));
const identity = v.object({ name: v.string(), version: v.string(), hash: v.string() });

const form = v.object({
  nopage: v.literal("counterexample"),
  version: v.literal(1),
  plugin: identity,
  core: identity,
  laws: identity,
  seed: v.optional(v.pipe(v.number(), v.integer())),
  search: v.string(),
  run: v.object({
    law: v.string(),
    program: position,
    when: v.string(),
    contender: v.string(),
    geometry: v.picklist<readonly GeometryName[]>(geometryNames),
    machine: v.record(v.string(), v.unknown()),
    preemptions: position,
    leftOut: v.optional(
      v.array(
        v.object({ actor: v.pipe(v.string(), v.regex(/^\d+(\.\d+)*$/)), name: v.string(), after: position }),
      ),
    ),
    met: v.optional(v.tuple([position, position])),
    // Without a step: it fails before there is a second task.
    schedule: v.array(v.object({ task: position, name: v.string(), does: v.string() })),
    problems: v.pipe(v.array(v.string()), v.minLength(1)),
  }),
});

/** Writes a counterexample: one step a line, so that two can be compared by their lines. */
export function writeCounterexample(path: string, { run, ...about }: CounterexampleFile): void {
  const { schedule, ...rest } = run;
  const head = JSON.stringify({ nopage: "counterexample", version: 1, ...about, run: rest }, null, 2);
  const lines = schedule.map((step) => `\n      ${JSON.stringify(step)}`).join(",");
  writeFileSync(path, `${head.replace(/\n {2}\}\n\}$/, "")},\n    "schedule": [${lines}\n    ]\n  }\n}\n`);
}

/** A counterexample from a file, or why there is none. */
export function readCounterexample(path: string): CounterexampleFile | Problem {
  const wrong = (why: string): Problem => {
    const expected = `a counterexample, made by nopage explore PLUGIN --save FILE, but ${why}`;
    return { path: "nopage replay", value: basename(path), expected, nearest: undefined };
  };
  const read = readJson(path);
  if ("why" in read) return wrong(read.why);
  const { data } = read;
  const { success, output, issues } = v.safeParse(form, data);
  if (!success) return wrong(whyNotRead(data, "counterexample", issues[0]));
  const { plugin, core, laws, seed, search, run } = output;
  return { plugin, core, laws, seed, search, run };
}
