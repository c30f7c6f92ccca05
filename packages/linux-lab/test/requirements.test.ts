import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { labRequirements, whyNoLab } from "../src/requirements.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nopage-requirements-"));
  mkdirSync(join(root, "bin"));
  vi.stubEnv("NOPAGE_LAB_CACHE", join(root, "cache"));
  vi.stubEnv("PATH", join(root, "bin"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

function installCommands(...names: readonly string[]): void {
  for (const name of names) writeFileSync(join(root, "bin", name), "");
}

function unpackKernel(flavour: "cloud" | "full", release: string): void {
  const boot = join(root, "cache", flavour, "boot");
  mkdirSync(boot, { recursive: true });
  writeFileSync(join(boot, `vmlinuz-${release}`), "");
}

/** What is missing, each with what to install. */
function missing(...asked: Parameters<typeof labRequirements>): Readonly<Record<string, string>> {
  const wanting = labRequirements(...asked).filter(({ ok }) => !ok);
  return Object.fromEntries(wanting.map(({ name, detail }) => [name, detail]));
}

describe("what the lab needs", () => {
  test("on a machine with nothing, each thing says what is to be installed", () => {
    expect(missing("cloud", "drivers")).toEqual({
      QEMU: "qemu-system-x86_64 on the PATH: install qemu-system-x86, or run tools/install-lab.sh",
      "C compiler": "gcc on the PATH: install gcc and libc6-dev, or run tools/install-lab.sh",
      "Linux kernel": `one that is unpacked in ${join(root, "cache/cloud")}: run tools/install-lab.sh`,
      make: "make on the PATH: install make, or run tools/install-lab.sh",
      "kernel headers": "those of the kernel, once it is there: run tools/install-lab.sh",
    });
  });

  test("the headers are those of the kernel that is there, by the name of their package", () => {
    installCommands("qemu-system-x86_64", "gcc", "make");
    unpackKernel("cloud", "0.0.0-none");
    const headers = "/usr/src/linux-headers-0.0.0-none: install linux-headers-0.0.0-none";
    expect(missing("cloud", "drivers")).toEqual({
      "kernel headers": `${headers}, or run tools/install-lab.sh`,
    });
    expect(whyNoLab("cloud", "drivers")).toBe(
      `there is no kernel headers, but there has to be ${headers}, or run tools/install-lab.sh`,
    );
  });

  test("what builds no modules needs neither make nor headers", () => {
    installCommands("qemu-system-x86_64", "gcc");
    unpackKernel("full", "0.0.0-none");
    expect(missing("full")).toEqual({});
    expect(whyNoLab("full")).toBeUndefined();
  });
});
