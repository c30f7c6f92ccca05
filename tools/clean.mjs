// Removes what the compiler and the test runner wrote. node_modules stays.
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const parent of ["packages", "packages/strategies"]) {
  for (const name of readdirSync(join(root, parent))) {
    for (const output of ["dist", "dist-bench"]) {
      rmSync(join(root, parent, name, output), { recursive: true, force: true });
    }
  }
}
for (const path of ["coverage", "node_modules/.cache/tsc"])
  rmSync(join(root, path), { recursive: true, force: true });
