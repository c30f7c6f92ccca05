import { readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where the lab keeps kernels and what it builds: `NOPAGE_LAB_CACHE`, or a folder of the user's own. */
export function cacheFolder(): string {
  const { NOPAGE_LAB_CACHE: chosen, XDG_CACHE_HOME: caches } = process.env;
  if (chosen !== undefined && chosen !== "") return chosen;
  return join(caches === undefined || caches === "" ? join(homedir(), ".cache") : caches, "nopage", "lab");
}

/** Builds of each kind that are kept: those of other checkouts may be in use. */
const KEPT = 8;

/** Removes what was built of one kind, such as `agent-`, and is older than the newest few. */
export function removeOldBuilds(kind: string): void {
  const folder = cacheFolder();
  const builds = readdirSync(folder)
    .filter((name) => name.startsWith(kind))
    .map((name) => ({ path: join(folder, name), builtAt: statSync(join(folder, name)).mtimeMs }))
    .sort((one, other) => other.builtAt - one.builtAt);
  for (const { path } of builds.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}
