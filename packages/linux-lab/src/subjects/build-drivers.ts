import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../guest/cache.ts";
import type { StockKernel } from "../guest/stock-kernel.ts";

const MAKEFILE = fileURLToPath(new URL("../../drivers/", import.meta.url));

/** Folders in which the drivers are built by this process already. */
const built = new Set<string>();

/**
 * Builds every driver of the repository for a kernel, which takes a second where nothing has changed: the folder with the
 * modules.
 *
 * @throws Error that says what to install, or what the compiler said
 */
export function buildDrivers(kernel: StockKernel): string {
  const headers = `/usr/src/linux-headers-${kernel.release}`;
  const folder = join(cacheFolder(), `drivers-${kernel.release}`);
  if (!built.has(folder)) {
    if (!existsSync(headers)) {
      throw new Error(`${headers} is missing: install the package linux-headers-${kernel.release}`);
    }
    mkdirSync(folder, { recursive: true });
    make(["-C", MAKEFILE, `KDIR=${headers}`, `BUILD=${folder}`]);
    built.add(folder);
  }
  return join(folder, "modules");
}

function make(args: readonly string[]): void {
  try {
    execFileSync("make", args, { stdio: "pipe" });
  } catch (failure) {
    const { stderr } = failure as { readonly stderr?: unknown };
    const said = Buffer.isBuffer(stderr) && stderr.length > 0 ? stderr.toString("utf8") : String(failure);
    throw new Error(`the drivers cannot be built: ${said}`, { cause: failure });
  }
}
