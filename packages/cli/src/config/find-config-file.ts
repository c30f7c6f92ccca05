import { readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { anyOf, nearestName } from "@nopage/core/wiring";
import { SUPPORTED_EXTENSIONS } from "c12";
import { UsageError } from "../usage-error.ts";

const stem = "nopage.config";

/**
 * The configuration file that counts: the one that was asked for, or else the one in the working directory.
 *
 * @returns its absolute path; undefined when none was asked for and there is none
 * @throws UsageError when the file asked for is not there or of no known format, or when there are several to choose from
 */
export function findConfigFile(directory: string, given: string | undefined): string | undefined {
  if (given !== undefined) return checkGiven(resolve(directory, given), given);
  const found = filesIn(directory).filter((file) => file === stem + extname(file) && isSupported(file));
  if (found.length > 1) {
    const expected = `one configuration file in ${directory}; name the one that counts with --config`;
    throw new UsageError([{ path: "configuration", value: found, expected, nearest: found[0] }]);
  }
  return found[0] === undefined ? undefined : resolve(directory, found[0]);
}

function checkGiven(path: string, given: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    const candidates = filesIn(dirname(path)).filter((file) => file.includes("config") && isSupported(file));
    const nearest = nearestName(basename(path), candidates);
    const expected = `a file, but there is none at ${path}`;
    throw new UsageError([{ path: "--config", value: given, expected, nearest }]);
  }
  if (!isSupported(path)) {
    const expected = `a file whose name ends in ${anyOf(SUPPORTED_EXTENSIONS)}`;
    const nearest = nearestName(extname(path), SUPPORTED_EXTENSIONS);
    throw new UsageError([{ path: "--config", value: given, expected, nearest }]);
  }
  return path;
}

function isSupported(file: string): boolean {
  return (SUPPORTED_EXTENSIONS as readonly string[]).includes(extname(file));
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
