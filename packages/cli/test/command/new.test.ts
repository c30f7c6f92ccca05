import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

const read = (folder: string, path: string) => readFileSync(join(folder, path), "utf8");

describe("nopage new strategy", () => {
  test("writes a package of that name, which depends on this version, and says how to go on", async () => {
    const folder = folderWith({});
    const { code, stdout, stderr } = await runCommand(["new", "strategy", "quick-look"], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^quick-look holds the package quick-look: [\s\S]*\n {2}cd quick-look\n {2}npm install\n/,
    );
    const made = readdirSync(join(folder, "quick-look"), { recursive: true, encoding: "utf8" }).sort();
    expect(made).toEqual([
      ".gitignore",
      "README.md",
      "nopage.config.ts",
      "package.json",
      "src",
      "src/quick-look.ts",
      "test",
      "test/quick-look.test.ts",
      "tsconfig.build.json",
      "tsconfig.json",
    ]);
    const manifest = JSON.parse(read(folder, "quick-look/package.json"));
    expect(manifest).toMatchObject({
      name: "quick-look",
      exports: { ".": { types: "./dist/quick-look.d.ts", default: "./dist/quick-look.js" } },
      dependencies: { "@nopage/core": "^1.2.3" },
      devDependencies: { "@nopage/testkit": "^1.2.3", nopage: "^1.2.3" },
    });
    expect(read(folder, "quick-look/src/quick-look.ts")).toMatch(
      /export const quickLook = defineStrategy\(\{\n {2}name: "quick-look",/,
    );
    expect(read(folder, "quick-look/test/quick-look.test.ts")).toContain("describeConformance(quickLook);");
    for (const path of made.filter((name) => /\.\w+$/.test(name))) {
      expect(read(folder, `quick-look/${path}`)).not.toMatch(/my-?strategy|workspace:/i);
    }
  });

  test("what it writes is a strategy that the command can run", async () => {
    const folder = folderWith({});
    await runCommand(["new", "strategy", "quick-look"], folder);
    const { code, stdout } = await runCommand(["run", "--json"], join(folder, "quick-look"));
    expect(code).toBe(0);
    expect(JSON.parse(stdout).runs).toMatchObject([{ strategy: "quick-look", backing: "page-array" }]);
  });

  test("a scope is part of the package's name, and of nothing else", async () => {
    const folder = folderWith({});
    const { code } = await runCommand(["new", "strategy", "@me/my-strategy-2", "--dir", "deep/down"], folder);
    expect(code).toBe(0);
    const made = join(folder, "deep/down");
    expect(JSON.parse(read(made, "package.json"))).toMatchObject({
      name: "@me/my-strategy-2",
      exports: { ".": { default: "./dist/my-strategy-2.js" } },
    });
    expect(read(made, "src/my-strategy-2.ts")).toContain('name: "my-strategy-2"');
  });

  test.each([
    ["delete", "deleteStrategy"],
    ["retry-when-open", "retryWhenOpenStrategy"],
    ["define-strategy", "defineStrategyStrategy"],
    ["x2-y-3z", "x2Y3z"],
  ])("%s is exported as %s, which the file can declare", async (name, identifier) => {
    const folder = folderWith({});
    expect((await runCommand(["new", "strategy", name], folder)).code).toBe(0);
    expect(read(folder, `${name}/src/${name}.ts`)).toContain(`export const ${identifier} = defineStrategy(`);
    expect((await runCommand(["list"], join(folder, name))).stdout).toContain(name);
  });

  test("as JSON it prints what was written where", async () => {
    const folder = folderWith({});
    const { stdout } = await runCommand(["new", "strategy", "quick-look", "--dir", ".", "--json"], folder);
    expect(JSON.parse(stdout)).toMatchObject({ name: "quick-look", directory: folder });
    expect(JSON.parse(stdout).files).toContain("src/quick-look.ts");
  });

  test.each([
    [
      ["plugin", "x"],
      'nopage new: found "plugin"; expected what is to be made: "strategy"; nearest choice: "strategy"',
    ],
    [
      ["stratgy", "x"],
      'nopage new: found "stratgy"; expected what is to be made: "strategy"; nearest choice: "strategy"',
    ],
    [[], "nopage new: found nothing; expected what is to be made"],
    [
      ["strategy"],
      "NAME: found nothing; expected a name for the package, as in nopage new strategy my-strategy",
    ],
    [
      ["strategy", "My_Strategy"],
      'NAME: found "My_Strategy"; expected a name for a package: lower-case letters',
    ],
    [["strategy", "My_Strategy"], 'nearest choice: "my-strategy"'],
    [["strategy", "quickLook"], 'nearest choice: "quick-look"'],
    [["strategy", "../x"], 'nearest choice: "x"'],
    [["strategy", "@me/Quick Look"], 'nearest choice: "@me/quick-look"'],
    [["strategy", "3d"], 'nearest choice: "d"'],
    [["strategy", ""], 'NAME: found ""; expected a name for a package'],
    [["strategy", "a".repeat(215)], "expected a name of at most 214 letters"],
    [["strategy", "lazy-nopage"], "a name that is not a strategy that comes with nopage already"],
    [["strategy", "@me/lazy-nopage"], 'nearest choice: "my-lazy-nopage"'],
    [["strategy", "vitest"], "a name that is not a package that it depends on already"],
    [["strategy", "fs"], 'a name that is not a module of Node already; nearest choice: "my-fs"'],
    [["strategy", "x", "y"], 'nopage new: found "y"; expected no further word'],
    [
      ["strategy", "x", "--dri=y"],
      'found "--dri=y"; expected an option: one of "--dir", "--json", "--help"; nearest choice: "--dir"',
    ],
    [["strategy", "x", "--dir"], "--dir: found nothing; expected a value"],
  ])("%j is bad usage, and nothing is written", async (words, why) => {
    const folder = folderWith({});
    const { code, stdout, stderr } = await runCommand(["new", ...words], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a kind and a name that are wrong are told together", async () => {
    const { stderr } = await runCommand(["new", "plugin", "X"], folderWith({}));
    expect(stderr).toMatch(/2 problems[\s\S]*"plugin"[\s\S]*"X"/);
  });
});

test("the tools of the package that is written are those of this workspace", async () => {
  const folder = folderWith({});
  await runCommand(["new", "strategy", "quick-look"], folder);
  const { devDependencies } = JSON.parse(read(folder, "quick-look/package.json"));
  const catalog = readFileSync(new URL("../../../../pnpm-workspace.yaml", import.meta.url), "utf8");
  for (const tool of ["typescript", "vitest"]) {
    const version = new RegExp(`^ {2}"?${tool}"?: (.*)$`, "m").exec(catalog)?.[1];
    expect({ [tool]: devDependencies[tool] }).toEqual({ [tool]: `^${version}` });
  }
});

describe("the folder that is written to", () => {
  test("MUST NOT hold anything: it stays as it is, and a free one beside it is named", async () => {
    const folder = folderWith({ "quick-look/mine.txt": "mine", "quick-look-2/x": "" });
    const { code, stderr } = await runCommand(["new", "strategy", "quick-look"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'NAME: found "quick-look"; expected a folder that is new or empty, but there is "mine.txt" in it; nearest choice: "quick-look-3"',
    );
    expect(readdirSync(join(folder, "quick-look"))).toEqual(["mine.txt"]);
  });

  test("MUST NOT be a file", async () => {
    const folder = folderWith({ "deep/x": "mine" });
    const { code, stderr } = await runCommand(["new", "strategy", "quick-look", "--dir", "deep/x"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(
      '--dir: found "deep/x"; expected a folder that is new or empty, but this is no folder',
    );
    expect(stderr).toContain('nearest choice: "deep/x-2"');
    const below = await runCommand(["new", "strategy", "quick-look", "--dir", "deep/x/y"], folder);
    expect(below).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--dir: found "deep/x/y"; expected '),
    });
    expect(read(folder, "deep/x")).toBe("mine");
  });

  test.each(["new", "empty"])(
    "a package that cannot be written whole MUST leave nothing behind in a %s folder",
    async (state) => {
      const folder = folderWith({});
      // Of the longest paths that there can be this leaves room for the first files, and not for those in src.
      const longest = 4095;
      const words = ["deep"];
      for (let left = longest - folder.length - 30; left > 0; left -= 201) {
        words.push("d".repeat(Math.min(200, Math.max(left, 1))));
      }
      const dir = words.join("/").slice(0, longest - folder.length - 30);
      if (state === "empty") mkdirSync(join(folder, dir), { recursive: true });
      const before = readdirSync(folder, { recursive: true, encoding: "utf8" });
      const name = `long-${"n".repeat(40)}`;
      const { code, stdout, stderr } = await runCommand(["new", "strategy", name, "--dir", dir], folder);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("expected a folder that can be written to, but: ENAMETOOLONG");
      expect(readdirSync(folder, { recursive: true, encoding: "utf8" })).toEqual(before);
      expect(existsSync(join(folder, "deep"))).toBe(state === "empty");
    },
  );
});
