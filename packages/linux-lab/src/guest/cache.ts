import { homedir } from "node:os";
import { join } from "node:path";

/** Where the lab keeps kernels and what it builds: `NOPAGE_LAB_CACHE`, or a folder of the user's own. */
export function cacheFolder(): string {
  const { NOPAGE_LAB_CACHE: chosen, XDG_CACHE_HOME: caches } = process.env;
  if (chosen !== undefined && chosen !== "") return chosen;
  return join(caches === undefined || caches === "" ? join(homedir(), ".cache") : caches, "nopage", "lab");
}
