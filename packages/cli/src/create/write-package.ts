import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Problem } from "@nopage/core/wiring";
import type { PackageFiles } from "./fill-template.ts";

/** Whether files may be written into a folder: it is not there yet, or holds nothing. */
export function checkFolder(folder: string, path: string, written: string): Problem | undefined {
  const occupied = (why: string): Problem => {
    const expected = `a folder that is new or empty, but ${why}`;
    return { path, value: written, expected, nearest: freeBeside(folder, written) };
  };
  try {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isDirectory()) return occupied("this is no folder");
    const [first] = readdirSync(folder).sort();
    return first === undefined ? undefined : occupied(`there is ${JSON.stringify(first)} in it`);
  } catch (failure) {
    return notWritable(failure, path, written);
  }
}

/** The file system's own refusal of a folder, as a problem like any other. */
export function notWritable(failure: unknown, path: string, written: string): Problem {
  const why = failure instanceof Error ? failure.message : String(failure);
  const expected = `a folder that can be written to, but: ${why}`;
  return { path, value: written, expected, nearest: undefined };
}

/**
 * Writes all of the files, or none of them: when one cannot be written, everything that was made for them is removed, the
 * folders above included.
 *
 * @throws Error what the file system said
 */
export function writePackage(folder: string, files: PackageFiles): void {
  const made: string[] = [];
  const makeFolder = (path: string): void => {
    const first = mkdirSync(path, { recursive: true });
    if (first !== undefined) made.push(first);
  };
  try {
    makeFolder(folder);
    for (const [path, text] of files) {
      const file = join(folder, path);
      makeFolder(dirname(file));
      // Never over a file that came meanwhile.
      writeFileSync(file, text, { flag: "wx" });
      made.push(file);
    }
  } catch (failure) {
    for (const path of made.reverse()) rmSync(path, { recursive: true, force: true });
    throw failure;
  }
}

/** The name as it was written, with the first number that makes it free. */
function freeBeside(folder: string, written: string): string {
  for (let number = 2; ; number++) {
    const name = `${basename(folder)}-${number}`;
    const isThere = lstatSync(join(dirname(folder), name), { throwIfNoEntry: false }) !== undefined;
    if (!isThere) return join(dirname(written), name);
  }
}
