// The lint run: Biome and the checks of this folder, two at a time. Every one runs even when another has failed.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const check = (name) => [name, process.execPath, [join(here, "run.mjs"), name]];
// The slowest comes first.
const jobs = [
  check("generators"),
  check("boundaries"),
  ["biome", join(root, "node_modules/.bin/biome"), ["check", "--error-on-warnings", "."]],
  check("house-style"),
];

function run([name, command, args]) {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        output += text;
      });
    }
    const finish = (ok) =>
      resolve({ name, ok, output: output.trimEnd(), seconds: (performance.now() - started) / 1000 });
    child.on("error", (error) => {
      output += String(error);
      finish(false);
    });
    child.on("close", (code) => finish(code === 0));
  });
}

let failed = 0;
const waiting = [...jobs];
async function worker() {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
    const { name, ok, output, seconds } = await run(job);
    console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds.toFixed(1)} s)`);
    if (output) console.log(output.replace(/^/gm, "       "));
    if (!ok) failed += 1;
  }
}
await Promise.all([worker(), worker()]);
process.exitCode = failed === 0 ? 0 : 1;
