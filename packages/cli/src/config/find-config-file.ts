import { readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
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
  const found = configFilesIn(directory);
  if (found.length > 1) {
    const expected = `one configuration file in ${directory}; name the one that counts with --config`;
    throw new UsageError([{ path: "configuration", value: found, expected, nearest: found[0] }]);
  }
  return found[0] === undefined ? undefined : resolve(directory, found[0]);
}

function checkGiven(path: string, given: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) {
    const [inside] = configFilesIn(path);
    const what = inside === undefined ? `and without a ${stem}.{ts,js,json,yaml}` : `with a ${inside} in it`;
    const nearest = inside === undefined ? undefined : join(given, inside);
    throw new UsageError([
      { path: "--config", value: given, expected: `a file, but it is a folder ${what}`, nearest },
    ]);
  }
  if (found?.isFile() !== true) {
    const candidates = filesIn(dirname(path)).filter((file) => file.includes("config") && isSupported(file));
    const name = nearestName(basename(path), candidates);
    const nearest = name === undefined ? undefined : join(dirname(given), name);
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

/**
 * The configuration file of a folder above, which does not count: a run in a folder depends on nothing outside it that it
 * does not name.
 */
export function configFileAbove(directory: string): string | undefined {
  const above = dirname(directory);
  if (above === directory) return undefined;
  const [file] = configFilesIn(above);
  return file === undefined ? configFileAbove(above) : join(above, file);
}

function configFilesIn(directory: string): readonly string[] {
  return filesIn(directory).filter((file) => file === stem + extname(file) && isSupported(file));
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
