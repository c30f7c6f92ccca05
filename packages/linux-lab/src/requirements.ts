import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheFolder } from "./guest/cache.ts";
import { findKernel, headersOf, type KernelFlavour } from "./guest/stock-kernel.ts";
import { findDriverSources } from "./subjects/driver-sources.ts";

/** What installs everything on Debian 12. */
const INSTALL = "tools/install-lab.sh";

/** One thing that the lab needs. */
export interface Requirement {
  readonly name: string;
  readonly ok: boolean;
  /** What was found; or what has to be there, and how it is installed. */
  readonly detail: string;
}

/**
 * What the lab needs to run on a kernel, and whether this machine has it.
 *
 * @param builds what is compiled here besides the agent: the drivers of the twins, or nothing where left out
 */
export function labRequirements(
  flavour: KernelFlavour = "cloud",
  builds?: "drivers",
): readonly Requirement[] {
  return [
    onPath("QEMU", "qemu-system-x86_64", "qemu-system-x86"),
    onPath("C compiler", "gcc", "gcc and libc6-dev"),
    kernel(flavour),
    ...(builds === undefined ? [] : [onPath("make", "make", "make"), headers(flavour), sources()]),
  ];
}

/** Why the lab cannot run here, and what to install; undefined where it can. */
export function whyNoLab(flavour: KernelFlavour = "cloud", builds?: "drivers"): string | undefined {
  const missing = labRequirements(flavour, builds).filter(({ ok }) => !ok);
  if (missing.length === 0) return undefined;
  return missing.map(({ name, detail }) => `there is no ${name}, but there has to be ${detail}`).join("; ");
}

function onPath(name: string, command: string, packages: string): Requirement {
  const found = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((path) => existsSync(path));
  if (found !== undefined) return { name, ok: true, detail: found };
  return { name, ok: false, detail: `${command} on the PATH: install ${packages}, or run ${INSTALL}` };
}

function kernel(flavour: KernelFlavour): Requirement {
  const name = flavour === "cloud" ? "Linux kernel" : "Linux kernel with all drivers";
  const found = findKernel(flavour);
  if (found !== undefined) return { name, ok: true, detail: found.release };
  const option = flavour === "cloud" ? "" : " --full";
  const where = join(cacheFolder(), flavour);
  return { name, ok: false, detail: `one that is unpacked in ${where}: run ${INSTALL}${option}` };
}

/** Modules fit one kernel: which headers are needed is known once there is one. */
function headers(flavour: KernelFlavour): Requirement {
  const name = flavour === "cloud" ? "kernel headers" : "headers of the kernel with all drivers";
  const found = findKernel(flavour);
  if (found === undefined) {
    return { name, ok: false, detail: `those of the kernel, once it is there: run ${INSTALL}` };
  }
  const folder = headersOf(found.release);
  if (existsSync(join(folder, "Makefile"))) return { name, ok: true, detail: folder };
  const said = `${folder}: install linux-headers-${found.release}`;
  // The script installs those of the one kernel that modules are built for.
  return { name, ok: false, detail: flavour === "cloud" ? `${said}, or run ${INSTALL}` : said };
}

function sources(): Requirement {
  const name = "C sources of the twins";
  try {
    return { name, ok: true, detail: `${findDriverSources().size} drivers` };
  } catch (failure) {
    return { name, ok: false, detail: failure instanceof Error ? failure.message : String(failure) };
  }
}
