import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { modinfoOf, readModule } from "../../src/guest/module-file.ts";

/** An ELF file of a kind, 1 being what the linker has not finished, with words in it. */
function elf(kind: number, words: string): Buffer {
  const head = Buffer.alloc(64);
  head.write("\u007fELF", "latin1");
  head.writeUInt16LE(kind, 16);
  return Buffer.concat([head, Buffer.from(`\0${words}\0`, "latin1")]);
}

describe("a file that is to be loaded as a module", () => {
  test("MUST name the kernel that it was built for", () => {
    const magic = "vermagic=6.1.0-56-amd64 SMP preempt mod_unload modversions ";
    expect(readModule(elf(1, `license=GPL\0${magic}`))).toEqual({
      kind: "module",
      release: "6.1.0-56-amd64",
    });
  });

  test("MUST be told from programs and from what is no ELF file", () => {
    expect(readModule(readFileSync(process.execPath))).toEqual({ kind: "no kernel module" });
    expect(readModule(elf(2, "vermagic=6.1.0 SMP "))).toEqual({ kind: "no kernel module" });
    expect(readModule(elf(1, "license=GPL"))).toEqual({ kind: "no kernel module" });
    expect(readModule(Buffer.from("#!/bin/sh\n"))).toEqual({ kind: "no ELF file" });
    expect(readModule(Buffer.from("\u007fELF", "latin1"))).toEqual({ kind: "no kernel module" });
  });

  test("MUST be read to the end of a word and no further", () => {
    const file = elf(1, "depends=usb-common,usbcore\0retpoline=Y");
    expect(modinfoOf(file, "depends")).toBe("usb-common,usbcore");
    expect(modinfoOf(file, "pends")).toBeUndefined();
  });
});
