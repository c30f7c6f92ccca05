/// <reference types="node" />
import { basename, extname } from "node:path";
import { builtInSignals, defaultSignalName } from "./built-in-signals.ts";
import { recogniseFile } from "./file-kind.ts";
import { readCsv } from "./read-csv.ts";
import { readSignalFile, signalExtensions } from "./read-signal-file.ts";
import { readWav } from "./read-wav.ts";
import type { Signal } from "./signal.ts";
import { SignalError } from "./signal-error.ts";

/**
 * Loads a signal by the name of a built-in one, or else from a WAV or CSV file.
 *
 * A file that starts as a known kind of recording is taken for that, whatever its name; of any other file the
 * extension decides. A built-in name wins over a file of that name, which is reached as `./guitar`. The answer
 * depends on nothing but the argument and the file's bytes.
 *
 * @throws {SignalError} when there is no such name or file, or the file is no signal.
 */
export async function loadSignal(pathOrName: string): Promise<Signal> {
  const builtIn = builtInSignals.find(({ name }) => name === pathOrName);
  const file = await readSignalFile(builtIn?.file ?? pathOrName, pathOrName);
  const identity = {
    name: builtIn?.name ?? basename(pathOrName),
    source: builtIn?.origin ?? pathOrName,
    subject: pathOrName,
  };
  const extension = extname(builtIn?.file.pathname ?? pathOrName).toLowerCase();
  if (recogniseFile(file) !== undefined || signalExtensions.wav.includes(extension)) {
    return readWav(file, identity);
  }
  if (signalExtensions.csv.includes(extension)) return readCsv(file, identity);
  throw new SignalError({
    problem: "unknown-format",
    subject: pathOrName,
    value: extension === "" ? "no extension and no known first bytes" : `extension "${extension}"`,
    expected: `a WAV file, or text in a file named ${signalExtensions.csv.join(" or ")}`,
    nearest: `the built-in signal "${defaultSignalName}", or this file named .csv if it holds columns of numbers`,
  });
}
