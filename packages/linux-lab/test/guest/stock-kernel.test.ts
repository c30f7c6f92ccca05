import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findKernel, stockModules } from "../../src/guest/stock-kernel.ts";

const RELEASE = "6.1.0-56-cloud-amd64";

/** A cache as `tools/install-lab.sh` leaves it, with modules that need each other. */
function cacheWith(modules: Readonly<Record<string, string>>): string {
  const cache = mkdtempSync(join(tmpdir(), "lab-"));
  const folder = join(cache, "cloud/lib/modules", RELEASE);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  put(join(cache, "cloud/boot", `vmlinuz-${RELEASE}`), "kernel");
  put(join(folder, "modules.builtin"), "kernel/drivers/pci/pci-stub.ko\n");
  for (const [path, needs] of Object.entries(modules)) {
    put(join(folder, "kernel", path), `\u007fELF license=GPL\0depends=${needs}\0retpoline=Y\0`);
  }
  return cache;
}

test("a module MUST come after all that it needs, each once, whatever its file and its name have for a hyphen", () => {
  const cache = cacheWith({
    "drivers/usb/usbcore.ko": "usb-common",
    "drivers/usb/usb-common.ko": "",
    "drivers/usb/mon/usbmon.ko": "usbcore,usb-common,pci-stub",
  });
  const kernel = findKernel("cloud", cache);
  if (kernel === undefined) throw new Error("the kernel is not found");
  expect(kernel.release).toBe(RELEASE);
  const names = stockModules(kernel, "usbmon").map(({ file }) => file.slice(file.lastIndexOf("/") + 1));
  expect(names).toEqual(["usb-common.ko", "usbcore.ko", "usbmon.ko"]);
  expect(() => stockModules(kernel, "vgem")).toThrow(`kernel ${RELEASE} (cloud) has no module vgem`);
});

test("where nothing was unpacked there MUST be no kernel", () => {
  expect(findKernel("full", cacheWith({}))).toBeUndefined();
});
