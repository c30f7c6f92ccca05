import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { RecordedChoice } from "@nopage/core";
import { nearestName, type Problem, showValue, type WorldSettings } from "@nopage/core/wiring";
import type { Signal } from "@nopage/device-highway";
import * as v from "valibot";
import { readJson } from "../config/read-json.ts";
import { whyNotRead } from "../config/why-not-read.ts";

/** What a schedule was recorded of: the same steps come again only where all of this is the same. */
export interface Recorded {
  readonly strategy: string;
  readonly pinning: string;
  readonly device: object;
  readonly machine: object;
  /** What was acquired: its name, which says nothing, and the SHA-256 of its bytes. */
  readonly signal: { readonly name: string; readonly sha256: string };
  /** The flag of what happened in the middle, with its time in virtual nanoseconds; `nothing` for a plain run. */
  readonly event: string;
}

/** A schedule that can be repeated. */
export interface Recording {
  readonly of: Recorded;
  readonly choices: readonly RecordedChoice[];
}

const number = v.pipe(v.number(), v.integer());

const form = v.object({
  nopage: v.literal("recording"),
  version: v.literal(1),
  of: v.object({
    strategy: v.string(),
    pinning: v.string(),
    device: v.looseObject({}),
    machine: v.looseObject({}),
    signal: v.object({ name: v.string(), sha256: v.string() }),
    event: v.string(),
  }),
  choices: v.array(v.pipe(v.array(number), v.minLength(3))),
});

/** What a run is, as far as a recording of it depends on it. */
export function whatIsRun(settings: WorldSettings, signal: Signal, event: string): Recorded {
  const { strategy, pinning, device, machine = {} } = settings;
  const sha256 = createHash("sha256").update(signal.bytes).digest("hex");
  return {
    strategy,
    pinning,
    device: { ...device },
    machine: { ...machine },
    signal: { name: signal.name, sha256 },
    event,
  };
}

/** Writes a recording: one choice a line, so that two can be compared by their lines. */
export function writeRecording(path: string, { of, choices }: Recording): void {
  const lines = choices.map(({ task, object, access, also }) =>
    JSON.stringify([task, object, access, ...also]),
  );
  const head = JSON.stringify({ nopage: "recording", version: 1, of }).slice(0, -1);
  writeFileSync(path, `${head},"choices":[\n${lines.join(",\n")}\n]}\n`);
}

/** A recording from a file, or why there is none. */
export function readRecording(path: string): Recording | Omit<Problem, "path"> {
  const wrong = (why: string, nearest?: string) => {
    const expected = `a recording, made by nopage run --seed N --record FILE, but ${why}`;
    return { value: basename(path), expected, nearest };
  };
  const read = readJson(path);
  if ("why" in read) {
    return wrong(read.why, existsSync(path) ? undefined : nearestName(basename(path), filesBeside(path)));
  }
  const { data } = read;
  const { success, output, issues } = v.safeParse(form, data);
  if (!success) return wrong(whyNotRead(data, "recording", issues[0]));
  const choices = output.choices.map(([task = 0, object = 0, access = 0, ...also]) => ({
    task,
    object,
    access,
    also,
  }));
  return { of: output.of, choices };
}

/** In what a run differs from the one that was recorded, under the name of each setting. */
export function differences(now: Recorded, then: Recorded): readonly Problem[] {
  const keys = ["strategy", "pinning", "device", "machine"] as const;
  const problem = (path: string, value: unknown, expected: unknown): Problem => {
    return { path, value, expected: `${showValue(expected)}, as it was recorded`, nearest: undefined };
  };
  return [
    ...keys
      .filter((key) => !isDeepStrictEqual(now[key], then[key]))
      .map((key) => problem(key, now[key], then[key])),
    ...(now.signal.sha256 === then.signal.sha256 ? [] : [problem("signal", inWords(now), inWords(then))]),
    ...(now.event === then.event ? [] : [problem("--kill-at or --unplug-at", now.event, then.event)]),
  ];
}

function inWords({ signal }: Recorded): string {
  return `${signal.name}, SHA-256 ${signal.sha256.slice(0, 12)}…`;
}

function filesBeside(path: string): readonly string[] {
  try {
    return readdirSync(join(dirname(path))).sort();
  } catch {
    return [];
  }
}
