// Plants every forbidden import, and near misses, in a small workspace of its own and looks at what the check says.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkBoundaries } from "../src/boundaries.mjs";

const packages = {
  "packages/core": "@nopage/core",
  "packages/strategies/one": "@nopage/one",
  "packages/strategies/two": "@nopage/two",
  "packages/device-highway": "@nopage/device-highway",
  "packages/testkit": "@nopage/testkit",
  "packages/cli": "nopage",
};

// Each file whose name starts with "bad" must be reported, by the rule beside it; every other file must not be.
const files = {
  "packages/core/src/index.ts": ["export const core = 1; export type Core = number;"],
  "packages/core/src/bad-bare.ts": ['import { one } from "@nopage/one"; export { one };', "arrows-of-core"],
  "packages/core/src/bad-relative.ts": [
    'export * from "../../strategies/one/src/index.ts";',
    "arrows-of-core",
  ],
  "packages/core/src/bad-type.ts": [
    'import type { One } from "@nopage/one"; export type X = One;',
    "arrows-of-core",
  ],
  "packages/core/src/bad-dynamic.ts": ['export const x = () => import("@nopage/testkit");', "arrows-of-core"],
  "packages/core/src/bad-cli.ts": ['export * from "nopage";', "arrows-of-core"],
  "packages/core/src/bad-missing.ts": ['export * from "@nopage/not-there";', "resolvable"],
  "packages/core/src/bad-container.ts": [
    'import { container } from "tsyringe"; export { container };',
    "container-only-in-wiring",
  ],
  "packages/core/src/bad-metadata.ts": ['import "reflect-metadata";', "container-only-in-wiring"],
  "packages/core/test/bad-container.test.ts": ['import "tsyringe";', "container-only-in-wiring"],
  "packages/core/src/wiring/index.ts": ['import "reflect-metadata"; export { container } from "tsyringe";'],
  "packages/core/src/contract/errno.ts": ["export const EAGAIN = 11; export type Errno = number;"],
  "packages/core/src/contract/index.ts": [
    'export * from "./errno.ts"; import type { Core } from "../index.ts"; export type { Core as C } from "../index.ts"; export type X = Core;',
  ],
  "packages/core/src/contract/deep/area.ts": ['export { EAGAIN } from "../errno.ts";'],
  "packages/core/src/contract/bad-value.ts": [
    'import { core } from "../index.ts"; export const x = core;',
    "contract-has-no-run-time-import",
  ],
  "packages/core/src/contract/bad-both.ts": [
    'import type { Core } from "../index.ts"; import { core } from "../index.ts"; export const x: Core = core;',
    "contract-has-no-run-time-import",
  ],
  "packages/core/src/contract/bad-inline.ts": [
    'import { type Core } from "../index.ts"; export type X = Core;',
    "contract-has-no-run-time-import",
  ],
  "packages/core/src/contract/bad-side-effect.ts": [
    'import "../index.ts";',
    "contract-has-no-run-time-import",
  ],
  "packages/core/src/contract/bad-star.ts": [
    'export * from "../index.ts";',
    "contract-has-no-run-time-import",
  ],
  "packages/core/src/contract/bad-node.ts": [
    'import { join } from "node:path"; export { join };',
    "contract-has-no-run-time-import",
  ],
  "packages/strategies/one/src/index.ts": [
    'import { core } from "@nopage/core"; export const one = core; export type One = number;',
  ],
  "packages/strategies/one/src/contract/index.ts": [
    'import type { Core } from "@nopage/core"; export type X = Core;',
  ],
  "packages/strategies/one/src/contract/bad-value.ts": [
    'export { core } from "@nopage/core";',
    "contract-has-no-run-time-import",
  ],
  "packages/strategies/one/src/bad-sibling.ts": ['export * from "@nopage/two";', "arrows-of-strategies"],
  "packages/strategies/one/src/bad-device.ts": [
    'export * from "@nopage/device-highway";',
    "arrows-of-strategies",
  ],
  "packages/strategies/one/src/bad-testkit.ts": ['export * from "@nopage/testkit";', "arrows-of-strategies"],
  "packages/strategies/one/src/bad-cli.ts": ['export * from "nopage";', "arrows-of-strategies"],
  "packages/strategies/one/src/bad-container.ts": ['import "tsyringe";', "container-only-in-wiring"],
  "packages/strategies/one/test/law.test.ts": ['import "@nopage/testkit"; import "@nopage/two";'],
  "packages/strategies/two/src/index.ts": ["export const two = 2;"],
  "packages/device-highway/src/file.ts": [
    '/// <reference types="node" />\nexport { readFileSync } from "node:fs";',
  ],
  "packages/device-highway/src/index.ts": ['export { core as highway } from "@nopage/core";'],
  "packages/device-highway/src/bad-testkit.ts": [
    'export * from "@nopage/testkit";',
    "arrows-of-device-highway",
  ],
  "packages/device-highway/src/bad-strategy.ts": ['export * from "@nopage/one";', "arrows-of-device-highway"],
  "packages/device-highway/src/bad-cli.ts": ['export * from "nopage";', "arrows-of-device-highway"],
  "packages/testkit/src/index.ts": [
    'export { core as kit } from "@nopage/core"; export { highway } from "@nopage/device-highway";',
  ],
  "packages/testkit/src/bad-cli.ts": ['export * from "nopage";', "arrows-of-testkit"],
  "packages/testkit/src/bad-strategy.ts": ['export * from "@nopage/one";', "arrows-of-testkit"],
  "packages/cli/src/index.ts": [
    'export * from "@nopage/core"; export * from "@nopage/two"; export * from "@nopage/testkit";',
  ],
};

function write(root, file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function plant(root) {
  for (const [directory, name] of Object.entries(packages)) {
    const exports = { ".": { source: "./src/index.ts", default: "./dist/index.js" } };
    write(root, `${directory}/package.json`, JSON.stringify({ name, type: "module", exports }));
    mkdirSync(dirname(join(root, "node_modules", name)), { recursive: true });
    symlinkSync(join(root, directory), join(root, "node_modules", name));
  }
  for (const name of ["tsyringe", "reflect-metadata"]) {
    write(root, `node_modules/${name}/package.json`, JSON.stringify({ name, main: "index.js" }));
    write(root, `node_modules/${name}/index.js`, "");
  }
  for (const [file, [text]] of Object.entries(files)) write(root, file, `${text}\n`);
}

export async function selfTestBoundaries() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "nopage-boundaries-")));
  try {
    plant(root);
    const { problems } = await checkBoundaries(root);
    for (const [file, [, rule]] of Object.entries(files)) {
      const reports = problems.filter((problem) => problem.startsWith(`${file} imports `));
      if (rule === undefined) assert.deepEqual(reports, [], `${file} is allowed but was reported`);
      else
        assert.ok(
          reports.some((report) => report.endsWith(`(${rule})`)),
          `${file} must be reported by ${rule}, but got: ${reports.join("; ") || "nothing"}`,
        );
    }
    const bad = Object.values(files).filter(([, rule]) => rule !== undefined).length;
    assert.equal(problems.length, bad, `more reports than planted violations:\n${problems.join("\n")}`);

    write(root, "packages/rogue/package.json", JSON.stringify({ name: "rogue" }));
    write(root, "packages/rogue/src/index.ts", "export {};\n");
    const { problems: withRogue } = await checkBoundaries(root);
    assert.ok(withRogue.some((problem) => problem.startsWith("packages/rogue: not in the table")));

    rmSync(join(root, "packages/rogue"), { recursive: true });
    // The ending is one that the check counts as a source and dependency-cruiser does not know.
    const unseen = "packages/core/src/unseen.mtsx";
    write(root, unseen, 'export * from "nopage";\n');
    const { problems: withUnseen } = await checkBoundaries(root);
    assert.ok(
      withUnseen.some((problem) => problem.endsWith(`were not looked at, the first is ${unseen}`)),
      "a file that is passed over must be told",
    );

    for (const directory of Object.keys(packages)) {
      for (const folder of ["src", "test"])
        rmSync(join(root, directory, folder), { recursive: true, force: true });
    }
    write(root, unseen, "export {};\n");
    const { problems: noModule, looked } = await checkBoundaries(root);
    assert.equal(looked, 0);
    assert.deepEqual(
      noModule,
      [`1 of 1 source files were not looked at, the first is ${unseen}`],
      "looking at no module must fail",
    );

    rmSync(join(root, "packages"), { recursive: true });
    mkdirSync(join(root, "packages"));
    const { problems: nothing } = await checkBoundaries(root);
    assert.ok(
      nothing.some((problem) => problem.startsWith("no source file")),
      "looking at nothing must fail",
    );
    return bad;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
