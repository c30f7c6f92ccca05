/// <reference types="node" />
import { readdir, readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { closest } from "fastest-levenshtein";
import { builtInSignals, defaultSignalName } from "./built-in-signals.ts";
import { SignalError, type SignalProblem } from "./signal-error.ts";

/** The extensions, in small letters, of the files that can be a signal. */
export const signalExtensions: Readonly<Record<"wav" | "csv", readonly string[]>> = {
  wav: [".wav"],
  csv: [".csv", ".tsv"],
};

/**
 * Reads a whole file that has at least one byte.
 *
 * @throws {SignalError} when it cannot; with the nearest name among the built-in signals and the WAV and CSV
 * files in the folder that was named.
 */
export async function readSignalFile(location: URL | string, subject: string): Promise<Uint8Array> {
  const expected = `a WAV or CSV file, or a built-in signal (${builtInNames().join(", ")})`;
  let file: Uint8Array;
  try {
    file = await readFile(location);
  } catch (cause) {
    const { problem, value } = whatWentWrong(cause);
    const choices = [...builtInNames(), ...(await signalFilesBeside(subject))];
    throw new SignalError({ problem, subject, value, expected, nearest: closest(subject, choices), cause });
  }
  if (file.length > 0) return file;
  throw new SignalError({
    problem: "empty",
    subject,
    value: "a file of 0 bytes",
    expected,
    nearest: defaultSignalName,
  });
}

function whatWentWrong(cause: unknown): { readonly problem: SignalProblem; readonly value: string } {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  if (code === "ENOENT" || code === "ENOTDIR") return { problem: "missing-file", value: "no such file" };
  if (code === "EISDIR") return { problem: "unreadable-file", value: "a folder" };
  return { problem: "unreadable-file", value: `a file that cannot be read (${code})` };
}

function builtInNames(): readonly string[] {
  return builtInSignals.map(({ name }) => name);
}

/** The WAV and CSV files in the folder that the path names, sorted, written as the user would write them. */
async function signalFilesBeside(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const extensions = [...signalExtensions.wav, ...signalExtensions.csv];
  const names = await readdir(folder).catch(() => []);
  const found = names.filter((name) => extensions.includes(extname(name).toLowerCase())).sort();
  return path.includes("/") ? found.map((name) => join(folder, name)) : found;
}
