import type { Problem } from "@nopage/core/wiring";
import { seedRange } from "./config-schema.ts";

/** The flags that stand for settings, as they were written. */
export interface Flags {
  readonly config?: string;
  readonly strategy?: string;
  readonly pinning?: string;
  readonly device?: string;
  readonly geometry?: string;
  readonly signal?: string;
  readonly seed?: string;
  /** A file to write the order of the tasks to, and one to take it from. */
  readonly record?: string;
  readonly replay?: string;
  /** A time in virtual nanoseconds, or `random`. */
  readonly killAt?: string;
  /** The same. */
  readonly unplugAt?: string;
}

const flagOfPath = {
  strategy: "strategy",
  pinning: "pinning",
  "device.name": "device",
  "machine.geometry": "geometry",
  signal: "signal",
  "chooser.replay": "replay",
  chooser: "seed",
} as const satisfies Record<string, keyof Flags>;

/** The configuration with the flags in place of what they stand for. */
export function applyFlags(config: Readonly<Record<string, unknown>>, flags: Flags): Record<string, unknown> {
  const { strategy, pinning, device, geometry, signal, seed, replay } = flags;
  const merged: Record<string, unknown> = { ...config };
  if (strategy !== undefined) merged["strategy"] = strategy;
  if (pinning !== undefined) merged["pinning"] = pinning;
  if (signal !== undefined) merged["signal"] = signal;
  if (geometry !== undefined) merged["machine"] = { ...asObject(config["machine"]), geometry };
  if (seed !== undefined && isInteger(seed)) merged["chooser"] = { random: Number(seed) };
  if (replay !== undefined) merged["chooser"] = { replay };
  if (device !== undefined) {
    // Options are for the driver that the file names: another one would not know them.
    const own = asObject(config["device"]);
    merged["device"] = own["name"] === device ? own : { name: device };
  }
  return merged;
}

/** What is wrong with the flags themselves. */
export function checkFlags({ seed, replay, killAt, unplugAt }: Flags): readonly Problem[] {
  const problems: Problem[] = [];
  if (seed !== undefined && !isInteger(seed)) {
    problems.push({ path: "--seed", value: seed, expected: seedRange, nearest: undefined });
  }
  if (seed !== undefined && replay !== undefined) {
    const expected = "no --replay beside it: the order is random, or the recorded one";
    problems.push({ path: "--seed", value: seed, expected, nearest: undefined });
  }
  problems.push(...checkTime("--kill-at", killAt), ...checkTime("--unplug-at", unplugAt));
  if (killAt !== undefined && unplugAt !== undefined) {
    const expected = "no --kill-at beside it: one thing happens in a run";
    problems.push({ path: "--unplug-at", value: unplugAt, expected, nearest: undefined });
  }
  return problems;
}

function checkTime(path: string, time: string | undefined): readonly Problem[] {
  if (time === undefined || time === "random" || isTime(time)) return [];
  const nearest = /^[a-z]/i.test(time) ? "random" : undefined;
  return [{ path, value: time, expected: timeRange, nearest }];
}

/** The problem, placed where the user wrote what is wrong: on a flag, or in a file. */
export function placeProblem(problem: Problem, flags: Flags, file: string | undefined): Problem {
  const { path } = problem;
  const flag = Object.entries(flagOfPath).find(([at]) => path === at || path.startsWith(`${at}.`))?.[1];
  if (flag !== undefined && flags[flag] !== undefined) return { ...problem, path: `--${flag}` };
  if (path.startsWith("--") || file === undefined) return problem;
  return { ...problem, path: path === "" ? file : `${path} in ${file}` };
}

const timeRange = '"random", or a time in virtual nanoseconds from the start of the acquisition';

function isTime(text: string): boolean {
  return /^\d{1,15}$/.test(text.trim());
}

function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text.trim());
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
