// Packs every package as it would be published: node tools/pack.mjs FOLDER
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packageDirectories } from "./checks/src/workspace.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function run(command, args) {
  const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status === 0) return stdout.trim();
  process.stderr.write(`${command} ${args.join(" ")} failed\n${stdout ?? ""}${stderr ?? ""}${error ?? ""}\n`);
  process.exit(1);
}

const [given] = process.argv.slice(2);
if (given === undefined) {
  process.stderr.write("usage: node tools/pack.mjs FOLDER, into which the packages are put\n");
  process.exit(2);
}
const folder = resolve(given);
// Installs and compiles what is not up to date.
run(process.execPath, [join(root, "tools/bootstrap.mjs")]);
mkdirSync(folder, { recursive: true });
// What an earlier version has left would be installed beside the new one.
for (const name of readdirSync(folder)) if (name.endsWith(".tgz")) rmSync(join(folder, name));
const onPath = spawnSync("pnpm", ["--version"], { encoding: "utf8" });
const isPinned = onPath.stdout?.trim() === packageManager.split("@")[1];
const [command, ...prefix] = isPinned ? ["pnpm"] : ["npx", "--yes", packageManager];
const directories = packageDirectories(root);
const filters = directories.flatMap((directory) => ["--filter", `./${directory}`]);
run(command, [...prefix, "--recursive", ...filters, "pack", "--pack-destination", folder]);

/** What the manifest of a packed package points at: a path each. */
function* targets(value) {
  if (typeof value === "string") yield value.replace(/^\.\//, "package/");
  else for (const inner of Object.values(value ?? {})) yield* targets(inner);
}

const packed = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
const problems = packed.flatMap((name) => {
  const path = join(folder, name);
  const files = new Set(run("tar", ["-tzf", path]).split("\n"));
  const { bin, exports } = JSON.parse(run("tar", ["-xzOf", path, "package/package.json"]));
  return [...targets({ bin, exports })]
    .filter((target) => !files.has(target))
    .map((target) => `${name} is to have ${target}, and has not`);
});
if (packed.length !== directories.length) {
  problems.push(`${packed.length} packages were packed of ${directories.length}: ${packed.join(", ")}`);
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exit(1);
}
process.stdout.write(`${packed.length} packages are in ${folder}\n`);
