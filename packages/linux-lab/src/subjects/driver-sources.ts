import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the drivers are made of: each package with a folder of C sources, and what that folder is called where it is built. */
const packages = {
  highway: "device-highway",
  "eager-remap": "eager-remap",
  "lazy-nopage": "lazy-nopage",
  "page-lookup": "page-lookup",
  "pfn-nopage": "pfn-nopage",
  "notifier-mirror": "notifier-mirror",
  pinning: "pinning",
} as const;

/** A driver's module, as a file name without its ending. */
export type DriverName = keyof typeof packages;

/** In the order in which they can be loaded. */
export const driverNames = Object.keys(packages) as readonly DriverName[];

/** This package's manifest, and the program that uses it, which may depend on more than this package does. */
function whoLooks(): readonly string[] {
  const own = fileURLToPath(new URL("../../package.json", import.meta.url));
  const program = process.argv[1];
  return program === undefined || !existsSync(program) ? [own] : [own, realpathSync(program)];
}

/**
 * The folders with the C sources of the drivers, each in its own package.
 *
 * @param looking files that the packages may be found from, without links in their paths
 * @throws Error that names the packages whose sources are nowhere, and every place where they were looked for
 */
export function findDriverSources(looking: readonly string[] = whoLooks()): ReadonlyMap<DriverName, string> {
  const found = new Map<DriverName, string>();
  const missing: string[] = [];
  for (const name of driverNames) {
    const places = [...new Set(looking.flatMap((file) => placesOf(packages[name], file)))];
    const folder = places.find((place) => existsSync(join(place, "Kbuild")));
    if (folder !== undefined) found.set(name, folder);
    else missing.push(`@nopage/${packages[name]}, which is in none of ${places.join(", ")}`);
  }
  if (missing.length === 0) return found;
  throw new Error(`the C sources of the drivers are not all there: install ${missing.join("; ")}`);
}

/**
 * In the repository strategies have a folder of their own. Installed packages lie side by side or, where each sees only what it
 * depends on, where Node finds them: pnpm has one of every package in `node_modules/.pnpm/node_modules` as well.
 */
function placesOf(name: string, file: string): readonly string[] {
  const beside = dirname(dirname(file));
  const inRepository =
    basename(beside) === "packages" ? [join(beside, "strategies", name), join(beside, name)] : [];
  const modules = foldersAbove(file).filter((folder) => basename(folder) !== "node_modules");
  const places = [...inRepository, ...modules.map((folder) => join(folder, "node_modules/@nopage", name))];
  return places.map((place) => join(place, "linux"));
}

/** The folder that a file lies in, the one that this lies in, and so on up to the root. */
function foldersAbove(file: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = dirname(file); folder !== folders.at(-1); folder = dirname(folder)) folders.push(folder);
  return folders;
}
