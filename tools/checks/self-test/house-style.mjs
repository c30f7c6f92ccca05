// Plants one breach of each rule of the house, and near misses, in a small workspace of its own.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkHouseStyle } from "../src/house-style.mjs";

const address = ["https://registry", "npmjs", "org/x"].join(".");

// A file with a second entry must be reported with that text in the report; one without must not be reported.
const files = {
  "packages/core/src/random.ts": ["export const x = Math.random();", "Math.random"],
  "packages/core/src/random-index.ts": ['export const x = Math["random"]();', "Math"],
  "packages/core/src/random-destructured.ts": ["export const { random } = Math;", "Math"],
  "packages/core/src/random-global.ts": ["export const x = globalThis.Math.random();", "Math.random"],
  "packages/core/src/now.ts": ["export const x = Date.now();", "Date"],
  "packages/core/src/new-date.ts": ["export const x = new Date();", "Date"],
  "packages/core/src/perf.ts": ["export const x = performance.now();", "performance"],
  "packages/core/src/hrtime.ts": ["export const x = process.hrtime.bigint();", "process.hrtime"],
  "packages/core/src/timer.ts": ["setTimeout(() => {}, 1);", "setTimeout"],
  "packages/core/src/timer-global.ts": ["globalThis.setTimeout(() => {}, 1);", "setTimeout"],
  "packages/strategies/one/src/now.ts": ["export const x = Date.now();", "Date"],
  "packages/device-highway/src/now.ts": ["export const x = Date.now();", "Date"],
  "packages/core/src/comment.ts": [
    '// Math.random, Date.now and setTimeout are not for us.\nexport const x = "new Date("; export const y = Math.floor(1.5);\nexport const clock = { Date: 1, now: () => 2 }; export const z = clock.now() + clock.Date;',
  ],
  "packages/core/src/own-process.ts": [
    "export interface P { exit(process: P): void; process: P; }\nexport const f = (process: P, timer: { setTimeout(x: number): void }): void => { process.exit(process.process); timer.setTimeout(1); };",
  ],
  "packages/core/test/now.test.ts": ["export const x = Date.now();"],
  "packages/cli/src/now.ts": ["export const x = Date.now(); setTimeout(() => {}, 1);"],
  "packages/cli/src/default.ts": ["export default 1;", "default"],
  "packages/cli/src/default-class.ts": ["export default class A {}", "default"],
  "packages/cli/src/default-alias.ts": ["const a = 1; export { a as default };", "default"],
  "packages/cli/src/CamelCase.ts": ["export {};", "kebab-case"],
  "packages/cli/src/snake_folder/file.ts": ["export {};", "kebab-case"],
  "packages/cli/src/long.ts": ["// line\n".repeat(401), "401 lines"],
  "packages/cli/src/just-short-enough.ts": ["// line\n".repeat(400)],
  "packages/core/test/long.test.ts": ["// line\n".repeat(401), "401 lines"],
  "packages/core/test/Just_Short_Enough.test.ts": ["// line\n".repeat(400)],
  "docs/address.md": [`See ${address}.`, "registry"],
  "docs/plain.md": ["See https://www.npmjs.com/package/vitest and any registry."],
};

function write(root, file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

export function selfTestHouseStyle() {
  const root = mkdtempSync(join(tmpdir(), "nopage-house-style-"));
  try {
    execFileSync("git", ["init", "-q", root]);
    for (const directory of ["core", "cli", "device-highway", "strategies/one"]) {
      write(root, `packages/${directory}/package.json`, "{}");
    }
    for (const [file, [text]] of Object.entries(files)) write(root, file, text);
    const { problems } = checkHouseStyle(root);
    for (const [file, [, message]] of Object.entries(files)) {
      const reports = problems.filter((problem) => problem.startsWith(`${file}:`));
      if (message === undefined) assert.deepEqual(reports, [], `${file} is allowed but was reported`);
      else
        assert.ok(
          reports.some((report) => report.includes(message)),
          `${file} must be reported: ${reports.join("; ") || "nothing"}`,
        );
    }
    rmSync(join(root, "packages"), { recursive: true });
    assert.ok(checkHouseStyle(root).problems.some((problem) => problem.startsWith("no source file")));
    return Object.values(files).filter(([, message]) => message !== undefined).length;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
