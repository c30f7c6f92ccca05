import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { sourcesOf, versionAbove } from "#src/explore/source-files";
import { folderWith } from "../support/folder.ts";

describe("what a module is made of", () => {
  it("is its file and all that it imports, and the versions of packages", () => {
    const folder = folderWith({
      "plugin.ts": 'import { a } from "./a.js";\nimport { defineStrategy } from "@nopage/core/contract";\n',
      "a.ts":
        'export * from "./b";\nimport "thing/part";\nconst c = await import("./c.mjs");\nimport "node:fs";\n',
      "b.ts": 'import type { A } from "./a.ts";\nrequire("other-thing")',
      "c.mjs": "// Imports nothing, not even from './no-such-file.ts'.\n",
      "d.ts": "",
    });
    mkdirSync(join(folder, "node_modules/thing"), { recursive: true });
    writeFileSync(join(folder, "node_modules/thing/package.json"), '{"version":"1.2.3"}');
    const { files, packages } = sourcesOf(join(folder, "plugin.ts"));
    expect(files.map((file) => basename(file))).toEqual(["plugin.ts", "a.ts", "b.ts", "c.mjs"]);
    expect(packages).toEqual(["other-thing", "thing@1.2.3"]);
  });

  it("has the version of the package that it lies in", () => {
    const folder = folderWith({ "package.json": '{"version":"3.2.1"}', "plugin.ts": "" });
    mkdirSync(join(folder, "src"));
    expect(versionAbove(join(folder, "src/plugin.ts"))).toBe("3.2.1");
    expect(versionAbove("/plugin.ts")).toBe("");
  });
});
