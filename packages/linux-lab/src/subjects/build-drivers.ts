import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, removeOldBuilds } from "../guest/cache.ts";
import { headersOf, type StockKernel } from "../guest/stock-kernel.ts";
import { type DriverName, findDriverSources } from "./driver-sources.ts";

const DRIVERS = fileURLToPath(new URL("../../drivers/", import.meta.url));

type Sources = ReadonlyMap<DriverName, string>;

/**
 * Builds every driver of the repository for a kernel, unless these very sources were built before: the folder with the
 * modules.
 *
 * @throws Error that says what to install, where sources were looked for, or what the compiler said
 */
export function buildDrivers({ release }: StockKernel): string {
  const sources = findDriverSources();
  const built = join(cacheFolder(), `drivers-${release}-${hashOf(sources)}`);
  if (existsSync(built)) return join(built, "modules");
  const headers = headersOf(release);
  if (!existsSync(headers)) {
    throw new Error(`there are no headers in ${headers}: install the package linux-headers-${release}`);
  }
  // Others may be building the same: whoever is first puts it in its place.
  const draft = `${built}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const folders = [...sources].map(([name, folder]) => `source-${name}=${folder}`);
    make("all", `-j${availableParallelism()}`, `KDIR=${headers}`, `BUILD=${draft}`, ...folders);
    if (!existsSync(built)) renameSync(draft, built);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  removeOldBuilds("drivers-");
  return join(built, "modules");
}

function hashOf(sources: Sources): string {
  const hash = createHash("sha256").update(readFileSync(join(DRIVERS, "Makefile")));
  for (const folder of sources.values()) {
    for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

function make(...args: readonly string[]): void {
  try {
    execFileSync("make", ["-s", "--no-print-directory", "-C", DRIVERS, ...args], {
      encoding: "utf8",
      stdio: "pipe",
    });
  } catch (failure) {
    const { stderr } = failure as { readonly stderr?: unknown };
    const said = typeof stderr === "string" && stderr !== "" ? stderr : String(failure);
    throw new Error(`the drivers cannot be built: ${said}`, { cause: failure });
  }
}
