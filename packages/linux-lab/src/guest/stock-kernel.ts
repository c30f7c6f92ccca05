import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { modinfoOf } from "./module-file.ts";

/** Debian's kernel for virtual machines, or its kernel with all drivers. */
export type KernelFlavour = "cloud" | "full";

/** A kernel of Debian's, unpacked. */
export interface StockKernel {
  readonly flavour: KernelFlavour;
  /** Such as `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  /** The file that QEMU boots. */
  readonly image: string;
  /** The folder with its modules. */
  readonly modules: string;
}

/** The kernel that `tools/install-lab.sh` has unpacked; undefined where it was not run for this flavour. */
export function findKernel(flavour: KernelFlavour, cache: string = cacheFolder()): StockKernel | undefined {
  const root = join(cache, flavour);
  const boot = join(root, "boot");
  if (!existsSync(boot)) return undefined;
  const image = readdirSync(boot)
    .filter((name) => name.startsWith("vmlinuz-"))
    .sort()
    .at(-1);
  if (image === undefined) return undefined;
  const release = image.slice("vmlinuz-".length);
  return { flavour, release, image: join(boot, image), modules: join(root, "lib/modules", release) };
}

/** Where Debian's package `linux-headers-RELEASE` puts what modules are built against. */
export function headersOf(release: string): string {
  return `/usr/src/linux-headers-${release}`;
}

/** A module's name as the kernel shows it: `vfio_pci` for `vfio-pci.ko`. */
export function moduleName(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1);
  return base.replace(/\.ko$/, "").replaceAll("-", "_");
}

/**
 * The files of a stock module and of all modules that it needs, in the order in which they have to be loaded; none for one
 * that is built in.
 *
 * @throws Error for a name that the kernel does not have
 */
export function stockModules(kernel: StockKernel, name: string): readonly { readonly file: string }[] {
  const files = new Map(
    readdirSync(kernel.modules, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ko"))
      .map((path) => [moduleName(path), join(kernel.modules, path)]),
  );
  const builtIn = readFileSync(join(kernel.modules, "modules.builtin"), "utf8").split("\n").map(moduleName);
  const ordered: string[] = [];
  const visit = (wanted: string): void => {
    const file = files.get(wanted);
    if (file === undefined) {
      if (builtIn.includes(wanted)) return;
      throw new Error(`kernel ${kernel.release} (${kernel.flavour}) has no module ${wanted}`);
    }
    if (ordered.includes(file)) return;
    for (const needed of neededBy(readFileSync(file))) visit(needed);
    ordered.push(file);
  };
  visit(name.replaceAll("-", "_"));
  return ordered.map((file) => ({ file }));
}

/** The modules that a module names as needed: `depends=` of its section `.modinfo`. */
function neededBy(module: Buffer): readonly string[] {
  const list = modinfoOf(module, "depends") ?? "";
  return list === "" ? [] : list.split(",").map((name) => name.replaceAll("-", "_"));
}
