import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Problem } from "@nopage/core/wiring";
import type { GuestModule } from "@nopage/linux-lab";

/** What every ELF file begins with. */
const ELF = "\u007fELF";

/** The kernel modules that words name, each with parameters behind a comma: `mine.ko` or `mine.ko,pages=4,debug=1`. */
export function findModules(
  words: readonly string[],
  directory: string,
): { readonly modules: readonly GuestModule[]; readonly problems: readonly Problem[] } {
  const modules: GuestModule[] = [];
  const problems: Problem[] = [];
  for (const word of words) {
    const [path = word, ...parameters] = word.split(",");
    const file = resolve(directory, path);
    const why = whyNoModule(file);
    if (why === undefined) modules.push({ file, parameters: parameters.join(" ") });
    else {
      problems.push({
        path: "--module",
        value: path,
        expected: `a kernel module, but ${why}`,
        nearest: undefined,
      });
    }
  }
  return { modules, problems };
}

function whyNoModule(file: string): string | undefined {
  try {
    const beginning = readFileSync(file).subarray(0, ELF.length).toString("latin1");
    return beginning === ELF ? undefined : `${file} is no ELF file`;
  } catch {
    return `there is no file ${file} that can be read`;
  }
}
