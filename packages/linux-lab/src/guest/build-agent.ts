import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, removeOldBuilds } from "./cache.ts";

const SOURCES = fileURLToPath(new URL("../../agent/", import.meta.url));

const FLAGS = [
  ...["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"],
  // The agent knows its own areas by their addresses, and its threads have no storage of their own.
  ...["-static", "-no-pie", "-fno-stack-protector"],
];

/**
 * Compiles the agent, unless this very source was compiled before: the path of the program.
 *
 * @throws Error with what the compiler said
 */
export function buildAgent(compiler = "gcc"): string {
  const names = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const hash = createHash("sha256").update([compiler, ...FLAGS].join(" "));
  for (const name of names.sort()) hash.update(name).update(readFileSync(join(SOURCES, name)));
  const built = join(cacheFolder(), `agent-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(built)) return built;
  mkdirSync(cacheFolder(), { recursive: true });
  const draft = `${built}.${process.pid}`;
  const sources = names.filter((name) => name.endsWith(".c"));
  try {
    execFileSync(compiler, [...FLAGS, "-o", draft, ...sources], { cwd: SOURCES, stdio: "pipe" });
  } catch (failure) {
    throw new Error(`the agent does not compile: ${wordsOf(failure)}`, { cause: failure });
  }
  renameSync(draft, built);
  removeOldBuilds("agent-");
  return built;
}

function wordsOf(failure: unknown): string {
  const { stderr } = failure as { readonly stderr?: unknown };
  return Buffer.isBuffer(stderr) && stderr.length > 0 ? stderr.toString("utf8") : String(failure);
}
