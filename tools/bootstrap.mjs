// Brings a clone to the state in which the commands run: dependencies installed, packages compiled.
// It writes to stderr only, so that the output of the command that follows stays pure, and says nothing when nothing was to do.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".cache", "nopage-bootstrap");

const say = (line) => process.stderr.write(`${line}\n`);

function fail(what, result) {
  say(`nopage: ${what} failed`);
  if (result.error) say(String(result.error));
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`.trimEnd();
  if (output) say(output);
  process.exit(result.status || 1);
}

function run(command, args, env = process.env) {
  return spawnSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env });
}

function packageFolders() {
  return ["packages", "packages/strategies"].flatMap((parent) =>
    readdirSync(join(root, parent))
      .sort()
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(root, folder, "package.json"))),
  );
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`nopage: needs Node 20.19 or newer, and this is ${process.versions.node}`);
  process.exit(2);
}

// The manifests and the lockfile decide what node_modules must hold; their hash says whether it still does.
function manifestHash() {
  const manifests = packageFolders().map((folder) => `${folder}/package.json`);
  const files = [
    "package.json",
    "pnpm-workspace.yaml",
    "pnpm-lock.yaml",
    "tools/checks/package.json",
    ...manifests,
  ];
  const hash = createHash("sha256").update(`${process.version} ${process.platform} ${process.arch}\n`);
  for (const file of files) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(`${file}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

function isInstalled(hash) {
  if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== hash) return false;
  // Somebody may have removed the links of one package only.
  const linked = packageFolders().filter((folder) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    return Object.keys(dependencies).length > 0;
  });
  return linked.every((folder) => existsSync(join(root, folder, "node_modules")));
}

function install(hash) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const pinned = packageManager.split("@")[1];
  const onPath = run("pnpm", ["--version"]);
  const useOwn = onPath.status === 0 && onPath.stdout.trim() === pinned;
  say(
    `nopage: installing dependencies with pnpm ${pinned}${useOwn ? "" : " (through npx)"}, about 20 s on a new machine`,
  );
  const [command, ...prefix] = useOwn ? ["pnpm"] : ["npx", "--yes", packageManager];
  // CI=true makes pnpm replace a broken node_modules without asking.
  const result = run(command, [...prefix, "install", "--frozen-lockfile"], { ...process.env, CI: "true" });
  if (result.status !== 0) fail("pnpm install", result);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, hash);
}

function compile() {
  if (!existsSync(join(root, "packages/core/dist"))) say("nopage: compiling the packages");
  const result = run(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"),
    "-b",
    "tsconfig.build.json",
  ]);
  if (result.status !== 0) fail("tsc -b", result);
}

requireNode();
const hash = manifestHash();
if (!isInstalled(hash)) install(hash);
compile();
