import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkReleases, findModules } from "../../src/lab/find-modules.ts";
import { folderWith } from "../support/folder.ts";

const ET_REL = "\u0001\0";
const ET_DYN = "\u0003\0";

/** A folder with ELF files that say for which kernel they are. */
function folder(): string {
  const elf = (kind: string, words: string) =>
    `\u007fELF${"\0".repeat(12)}${kind}${"\0".repeat(46)}${words}\0`;
  return folderWith({
    "mine.ko": elf(ET_REL, "vermagic=6.1.0-56-cloud-amd64 SMP preempt mod_unload "),
    ls: elf(ET_DYN, "GLIBC"),
  });
}

describe("the kernel modules of the command line", () => {
  test("are found with their parameters and what they were built for", () => {
    const directory = folder();
    expect(findModules(["mine.ko,pages=4,debug=1"], directory)).toEqual({
      modules: [
        {
          file: join(directory, "mine.ko"),
          parameters: "pages=4 debug=1",
          word: "mine.ko",
          kind: "module",
          release: "6.1.0-56-cloud-amd64",
        },
      ],
      problems: [],
    });
  });

  test("MUST not be programs", () => {
    const directory = folder();
    expect(findModules(["ls"], directory).problems).toEqual([
      {
        path: "--module",
        value: "ls",
        expected: `a kernel module, but ${join(directory, "ls")} is another ELF file, which names no kernel as its vermagic`,
        nearest: undefined,
      },
    ]);
  });

  test("MUST be built for every kernel that they are to be loaded into, and it is said against what to build", () => {
    const { modules } = findModules(["mine.ko,pages=4"], folder());
    expect(checkReleases(modules, ["6.1.0-56-cloud-amd64"])).toEqual([]);
    expect(checkReleases(modules, ["6.1.0-56-cloud-amd64", "6.1.0-56-amd64"])).toEqual([
      {
        path: "--module",
        value: "mine.ko",
        expected:
          "a module for the kernel that the lab runs, 6.1.0-56-amd64, but it was built for 6.1.0-56-cloud-amd64: build it against linux-headers-6.1.0-56-amd64",
        nearest: undefined,
      },
    ]);
  });
});
