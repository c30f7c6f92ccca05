import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Problem } from "@nopage/core/wiring";
import { type GuestModule, readModule } from "@nopage/linux-lab";

/** A module as it was named, and what it was built for. */
export interface FoundModule extends GuestModule {
  readonly word: string;
  /** The kernel's release. */
  readonly release: string;
}

/** The kernel modules that words name, each with parameters behind a comma: `mine.ko` or `mine.ko,pages=4,debug=1`. */
export function findModules(
  words: readonly string[],
  directory: string,
): { readonly modules: readonly FoundModule[]; readonly problems: readonly Problem[] } {
  const modules: FoundModule[] = [];
  const problems: Problem[] = [];
  for (const named of words) {
    const [word = named, ...parameters] = named.split(",");
    const file = resolve(directory, word);
    const found = release(file);
    if ("release" in found) modules.push({ file, parameters: parameters.join(" "), word, ...found });
    else problems.push(problem(word, `a kernel module, but ${found.why}`));
  }
  return { modules, problems };
}

/** Modules that were not built for the kernels, by their releases, which they are to be loaded into. */
export function checkReleases(
  modules: readonly FoundModule[],
  kernels: readonly string[],
): readonly Problem[] {
  return modules.flatMap(({ word, release }) =>
    kernels
      .filter((kernel) => kernel !== release)
      .map((kernel) =>
        problem(
          word,
          `a module for the kernel that the lab runs, ${kernel}, but it was built for ${release}: build it against linux-headers-${kernel}`,
        ),
      ),
  );
}

function release(file: string): { readonly release: string } | { readonly why: string } {
  let contents: Buffer;
  try {
    contents = readFileSync(file);
  } catch {
    return { why: `there is no file ${file} that can be read` };
  }
  const module = readModule(contents);
  if (module.kind === "module") return module;
  if (module.kind === "no ELF file") return { why: `${file} is no ELF file` };
  return { why: `${file} is another ELF file, which names no kernel as its vermagic` };
}

function problem(value: string, expected: string): Problem {
  return { path: "--module", value, expected, nearest: undefined };
}
