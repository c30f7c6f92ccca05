// Compiles every packages/**/bench/*.bench.ts and runs the result, each in a process of its own:
// what is measured is the code that users run, not a transformed copy of it.
// Arguments are name filters: `npm run bench -- fault` runs only the files whose path contains "fault".
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const filters = process.argv.slice(2);

const packages = ["packages", "packages/strategies"].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
);
const benches = packages.flatMap((dir) => {
  if (!existsSync(join(dir, "bench"))) return [];
  return readdirSync(join(dir, "bench"), { recursive: true })
    .filter((file) => file.endsWith(".bench.ts"))
    .sort()
    .map((file) => ({
      dir,
      source: join(dir, "bench", file),
      output: join(dir, "dist-bench", file.replace(/ts$/, "js")),
    }));
});
const chosen = benches.filter(({ source }) =>
  filters.every((filter) => relative(root, source).includes(filter)),
);
if (chosen.length === 0) {
  console.error(
    benches.length === 0 ? "No bench file exists yet." : `No bench file matches ${filters.join(" ")}.`,
  );
  process.exit(2);
}

const projects = [...new Set(chosen.map(({ dir }) => join(dir, "tsconfig.bench.json")))];
const tsc = join(root, "node_modules/typescript/bin/tsc");
const compiled = spawnSync(process.execPath, [tsc, "-b", ...projects], { cwd: root, stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const [{ model }] = cpus();
console.log(`Node ${process.version}, kernel ${release()}, ${cpus().length} CPUs (${model})`);
console.log(`Load average ${loadavg()[0].toFixed(1)}: figures from a busy machine are too high.`);

let failed = 0;
for (const { source, output } of chosen) {
  console.log(`\n${relative(root, source)}`);
  const result = spawnSync(process.execPath, ["--expose-gc", output], { cwd: root, stdio: "inherit" });
  if (result.status !== 0) {
    failed += 1;
    console.error(`${relative(root, source)} ended with ${result.signal ?? `exit code ${result.status}`}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
