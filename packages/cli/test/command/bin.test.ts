import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { secondCopyOfCore, thirdPartyStrategy } from "../support/test-plugins.ts";

const bin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));
const root = fileURLToPath(new URL("../../../../", import.meta.url));

async function nopage(words: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const env = { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...options.env };
  const run = promisify(execFile)(process.execPath, [bin, ...words], { cwd: options.cwd ?? root, env });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

// `npm test` compiles first; who calls vitest by hand may not have.
describe.runIf(existsSync(bin))("the compiled command", { timeout: 30_000 }, () => {
  test("runs, with one document on its output and nothing else", async () => {
    const { code, stdout, stderr } = await nopage(["run", "--json", "--signal", "co2"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout).runs).toHaveLength(1);
  });

  test("answers bad usage with 2, and says on the error side what would have been right", async () => {
    const { code, stdout, stderr } = await nopage(["run", "--strategy", "lazy-nopge"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('nearest choice: "lazy-nopage"');
  });

  test("answers a check that failed with 1", async () => {
    const folder = folderWith({ "nopage.config.json": '{ "machine": { "cpus": 0 } }' });
    expect((await nopage(["doctor"], { cwd: folder })).code).toBe(1);
  });

  test("answers a mistake of its own with 3, with a stack only when it is asked for", async () => {
    const folder = folderWith({
      "broken.cjs": `
        const supports = { backing: ["pfn-run"], dma: "none" };
        exports.broken = { name: "broken", supports, get load() { return () => ({ get path() { throw new Error("own mistake"); }, unload() {} }); } };`,
      "nopage.config.json": '{ "plugins": ["./broken.cjs"], "device": { "name": "broken" } }',
    });
    const quiet = await nopage(["run"], { cwd: folder });
    expect(quiet.code).toBe(3);
    expect(quiet.stderr).toMatch(
      /^nopage: internal error: own mistake\nSet NOPAGE_DEBUG=1 to see where it happened\.\n$/,
    );
    const loud = await nopage(["run"], { cwd: folder, env: { NOPAGE_DEBUG: "1" } });
    expect(loud.code).toBe(3);
    expect(loud.stderr).toMatch(/Error: own mistake\n\s+at /);
  });

  test("gives plugins the core that runs, whatever is installed beside them", async () => {
    const folder = folderWith({
      ...secondCopyOfCore,
      "own.ts": thirdPartyStrategy,
      "nopage.config.ts": `
        import { defineConfig } from "nopage";
        export default defineConfig({ plugins: ["./own.ts"] });`,
    });
    const { stdout } = await nopage(["list", "--json"], { cwd: folder });
    const names = JSON.parse(stdout).strategies.map(({ name }: { name: string }) => name);
    expect(names).toContain("third-party");
    expect(names).not.toContain("made-by-a-second-copy");
  });
});
