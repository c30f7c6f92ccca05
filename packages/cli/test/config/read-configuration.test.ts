import { describeProblem, PluginRegistry } from "@nopage/core/wiring";
import { describe, expect, test } from "vitest";
import { configFileAbove } from "../../src/config/find-config-file.ts";
import type { Flags } from "../../src/config/flags.ts";
import { readConfiguration } from "../../src/config/read-configuration.ts";
import { UsageError } from "../../src/usage-error.ts";
import { folderWith } from "../support/folder.ts";
import { secondCopyOfCore, thirdPartyStrategy } from "../support/test-plugins.ts";

async function read(folder: string, flags: Flags = {}) {
  const registry = new PluginRegistry();
  const configuration = await readConfiguration(folder, flags, registry);
  return { ...configuration, registry, told: configuration.problems.map(describeProblem) };
}

async function refusal(folder: string, flags: Flags = {}): Promise<string> {
  const failure = await read(folder, flags).catch((thrown: unknown) => thrown);
  if (!(failure instanceof UsageError)) throw new Error(`no usage error but ${String(failure)}`);
  return failure.message.replaceAll(folder, "FOLDER");
}

const inJavaScript = 'export default { strategy: "x-y", machine: { cpus: 3 }, chooser: { random: 5 } };';

describe("a configuration file", () => {
  test.each([
    [
      "nopage.config.ts",
      `import { defineConfig } from "nopage";\n${inJavaScript.replace("{", "defineConfig({").replace(/;$/, ");")}`,
    ],
    ["nopage.config.js", inJavaScript],
    ["nopage.config.mjs", inJavaScript],
    ["nopage.config.cjs", inJavaScript.replace("export default", "module.exports =")],
    ["nopage.config.json", '{ "strategy": "x-y", "machine": { "cpus": 3 }, "chooser": { "random": 5 } }'],
    ["nopage.config.yaml", "strategy: x-y\nmachine:\n  cpus: 3\nchooser:\n  random: 5\n"],
  ])("%s is found and read", async (name, content) => {
    const { settings, chooser, told } = await read(folderWith({ [name]: content }));
    expect(told).toEqual([]);
    expect(settings).toEqual({
      strategy: "x-y",
      pinning: "refcount",
      device: { name: "highway" },
      machine: { cpus: 3 },
    });
    expect(chooser).toEqual({ random: 5 });
  });

  test("without one the defaults count", async () => {
    const { settings, signal, file } = await read(folderWith({}));
    expect(settings).toEqual({ strategy: "lazy-nopage", pinning: "refcount", device: { name: "highway" } });
    expect(signal).toEqual({ written: "guitar", location: "guitar" });
    expect(file).toBeUndefined();
  });

  test("it may wait for something before it answers", async () => {
    const content = 'const own: string = await Promise.resolve("x-y");\nexport default { strategy: own };';
    expect((await read(folderWith({ "nopage.config.ts": content }))).settings.strategy).toBe("x-y");
  });

  test("two of them leave it open which one counts", async () => {
    const folder = folderWith({ "nopage.config.json": "{}", "nopage.config.yaml": "{}" });
    expect(await refusal(folder)).toBe(
      'configuration: found ["nopage.config.json","nopage.config.yaml"]; expected one configuration file in FOLDER; name the one that counts with --config; nearest choice: "nopage.config.json"',
    );
    expect((await read(folder, { config: "nopage.config.yaml" })).file).toBe(`${folder}/nopage.config.yaml`);
  });

  test("one that is asked for must be there, in a known format", async () => {
    const folder = folderWith({ "nopage.config.json": "{}", "nopage.config.ini": "" });
    expect(await refusal(folder, { config: "nopage.confg.json" })).toBe(
      '--config: found "nopage.confg.json"; expected a file, but there is none at FOLDER/nopage.confg.json; nearest choice: "nopage.config.json"',
    );
    expect(await refusal(folder, { config: "nopage.config.ini" })).toMatch(
      /^--config: found "nopage.config.ini"; expected a file whose name ends in one of ".js", .*".toml"$/,
    );
  });

  test.each([
    ["nopage.config.json", '{ "strategy": }', "but nopage.config.json:1:15: Unexpected token '}'"],
    [
      "nopage.config.json",
      '{\n  "strategy": "a",\n}',
      "but nopage.config.json:3:1: Expected double-quoted property name",
    ],
    ["nopage.config.json", "{", "nopage.config.json:1:2: "],
    ["nopage.config.json", "", "nopage.config.json:1:1: Unexpected end of JSON input"],
    ["nopage.config.json5", "{ a: 1, b }", "nopage.config.json5:1:11: invalid character '}'"],
    ["nopage.config.toml", "a = 1\nb = = 2", "nopage.config.toml:2:5: Invalid TOML document"],
    [
      "nopage.config.json",
      JSON.stringify({ pinning: "some policy", strategy: "a name that is so long" }, null, 2).replace(
        "}",
        "?",
      ),
      "nopage.config.json:4:1: ",
    ],
    [
      "nopage.config.yaml",
      "strategy: a\npinning: b: c\n",
      "nopage.config.yaml:2:11: bad indentation of a mapping entry",
    ],
    ["nopage.config.yaml", "", "it holds no object with settings"],
    ["nopage.config.json", "null", "it holds no object with settings"],
    [
      "nopage.config.ts",
      "",
      "it exports nothing by default; it must end in export default defineConfig({ … })",
    ],
    ["nopage.config.js", "// nothing", "it exports nothing by default"],
    ["nopage.config.ts", "export const strategy = 'lazy-nopage';", "it exports nothing by default"],
    ["nopage.config.ts", "export default null;", "it holds no object with settings"],
    ["nopage.config.ts", "export default {", "but nopage.config.ts:1:17: Unexpected token"],
    ["nopage.config.ts", 'throw new Error("not today\\nnor tomorrow")', "not today"],
    ["nopage.config.ts", 'import "./missing.ts";', "Cannot find module './missing.ts'"],
  ])("%s with %j cannot be read", async (name, content, why) => {
    const message = await refusal(folderWith({ [name]: content }));
    expect(message).toContain(
      `configuration: found "${name}"; expected a configuration that can be read, but `,
    );
    expect(message).toContain(why);
    expect(message.split("\n")).toHaveLength(1);
  });

  test.each([
    ["nopage.config.yaml", "- a\n- b\n"],
    ["nopage.config.json", '["a","b"]'],
    ["nopage.config.ts", 'export default ["a", "b"];'],
    ["nopage.config.js", 'export default ["a", "b"];'],
  ])("%s: a list is no configuration", async (name, content) => {
    expect(await refusal(folderWith({ [name]: content }))).toBe(
      `${name}: found ["a","b"]; expected an object with settings`,
    );
  });

  test("a folder is no configuration, but may hold one", async () => {
    const folder = folderWith({ "deep/nopage.config.yaml": "", "other/x.txt": "" });
    expect(await refusal(folder, { config: "deep" })).toBe(
      '--config: found "deep"; expected a file, but it is a folder with a nopage.config.yaml in it; nearest choice: "deep/nopage.config.yaml"',
    );
    expect(await refusal(folder, { config: "./other/" })).toBe(
      '--config: found "./other/"; expected a file, but it is a folder and without a nopage.config.{ts,js,json,yaml}',
    );
    expect(await refusal(folder, { config: "deep/nopage.confg.yaml" })).toMatch(
      /nearest choice: "deep\/nopage.config.yaml"$/,
    );
  });

  test("of a folder above does not count", async () => {
    const folder = folderWith({ "nopage.config.yaml": "strategy: x-y\n", "deep/down/x.txt": "" });
    const { file, settings } = await read(`${folder}/deep/down`);
    expect({ file, strategy: settings.strategy }).toEqual({ file: undefined, strategy: "lazy-nopage" });
    expect(configFileAbove(`${folder}/deep/down`)).toBe(`${folder}/nopage.config.yaml`);
  });

  test("a signal that it names lies beside it, or where an absolute path says", async () => {
    const folder = folderWith({
      "deep/nopage.config.json": '{ "signal": "own.wav" }',
      "deep/absolute.json": '{ "signal": "/far/away.wav" }',
    });
    const config = "deep/nopage.config.json";
    const beside = { written: "own.wav", location: `${folder}/deep/own.wav` };
    expect((await read(folder, { config })).signal).toEqual(beside);
    const absolute = { written: "/far/away.wav", location: "/far/away.wav" };
    expect((await read(folder, { config: "deep/absolute.json" })).signal).toEqual(absolute);
    const ofFlag = { written: "own.wav", location: "own.wav" };
    expect((await read(folder, { config, signal: "own.wav" })).signal).toEqual(ofFlag);
  });
});

describe("flags", () => {
  const file = JSON.stringify({
    strategy: "a-b",
    pinning: "c-d",
    device: { name: "e-f", options: { x: 1 } },
    machine: { geometry: "alpha", cpus: 4 },
    chooser: "run-to-block",
    signal: "co2",
  });

  test("win over the file, one by one", async () => {
    const folder = folderWith({ "nopage.config.json": file });
    const { settings, chooser, signal } = await read(folder, {
      strategy: "own",
      geometry: "i386",
      seed: "-12",
    });
    expect(settings).toEqual({
      strategy: "own",
      pinning: "c-d",
      device: { name: "e-f", options: { x: 1 } },
      machine: { geometry: "i386", cpus: 4 },
    });
    expect(chooser).toEqual({ random: -12 });
    expect(signal).toEqual({ written: "co2", location: "co2" });
  });

  test("another device does not get the options that were meant for the first", async () => {
    const folder = folderWith({ "nopage.config.json": file });
    expect((await read(folder, { device: "g-h" })).settings.device).toEqual({ name: "g-h" });
    expect((await read(folder, { device: "e-f" })).settings.device).toEqual({
      name: "e-f",
      options: { x: 1 },
    });
  });

  test("what is wrong with one is told under its name, and the rest under the file's", async () => {
    const folder = folderWith({ "nopage.config.json": '{ "machine": { "cpus": 0, "geometry": "alpha" } }' });
    const { told } = await read(folder, { geometry: "x64", seed: "soon" });
    expect(told).toEqual([
      '--seed: found "soon"; expected a whole number from -2147483648 to 2147483647',
      '--geometry: found "x64"; expected one of "x86-64", "i386", "alpha", "arm64-64k"; nearest choice: "x86-64"',
      'machine.cpus in nopage.config.json: found 0; expected a whole number from 1 to 31; nearest choice: "1"',
    ]);
  });

  test("a seed beyond an int32 is refused", async () => {
    expect((await read(folderWith({}), { seed: "2147483648" })).told).toEqual([
      "--seed: found 2147483648; expected a whole number from -2147483648 to 2147483647",
    ]);
  });
});

describe("plugins", () => {
  const asPackage = {
    "node_modules/their-strategy/package.json": JSON.stringify({
      name: "their-strategy",
      type: "module",
      exports: "./index.js",
    }),
    "node_modules/their-strategy/index.js": thirdPartyStrategy
      .replace(/import type .*\n/, "")
      .replace(": MappingStrategy", ""),
  };

  test("are found by path and by package name, and get the core that runs", async () => {
    const folder = folderWith({
      ...secondCopyOfCore,
      ...asPackage,
      "lib/own.ts": thirdPartyStrategy.replace('"third-party"', '"own-path"'),
      "nopage.config.yaml": "plugins: [their-strategy, ./lib/own.ts]\n",
    });
    const { registry, told } = await read(folder);
    expect(told).toEqual([]);
    expect(registry.strategies.names()).toEqual(["third-party", "own-path"]);
    expect(registry.strategies.sourceOf("own-path")).toBe("./lib/own.ts");
  });

  test("a TypeScript configuration gets the core that runs as well", async () => {
    const folder = folderWith({
      ...secondCopyOfCore,
      "nopage.config.ts": `
        import { defineStrategy } from "@nopage/core/contract";
        export default { strategy: defineStrategy({ name: "the-real-one" } as never)["name"] };`,
    });
    expect((await read(folder)).settings.strategy).toBe("the-real-one");
  });

  test("every one that cannot be had is told, with what it exports instead", async () => {
    const folder = folderWith({
      "none.ts": "export const answer = 42;\nexport function helper() {}\n",
      "bad.js":
        'export const bad = { name: "Bad Name", supports: { backing: ["pfn-run"], dma: "none" }, load: 1 };',
      "good.ts": thirdPartyStrategy,
      "nopage.config.json":
        '{ "plugins": ["./none.ts", 7, "./good.ts", "./bad.js", "not-installed", "./good.ts"] }',
    });
    const { told, registry } = await read(folder);
    expect(told.map((line) => line.replaceAll(folder, "FOLDER"))).toEqual([
      "plugins[1] in nopage.config.json: found 7; expected the name of a package or a path",
      'plugins[0] in nopage.config.json: found "./none.ts"; expected a module with plugins that can be registered, but the module is rejected: it exports answer (a number), helper (a function) and no plugin; it must export what defineStrategy, defineMirror, definePinningPolicy or defineDriver answers with',
      'plugins[3] in nopage.config.json: found "./bad.js"; expected a module with plugins that can be registered, but a device driver without a usable name is rejected: name is "Bad Name"; it must be in kebab-case, such as "lazy-nopage"; load is 1; it must be a function',
      "plugins[4] in nopage.config.json: found \"not-installed\"; expected a module with plugins that can be registered, but it cannot be loaded from FOLDER/nopage.config.json: Cannot find module 'not-installed'",
      'plugins[5] in nopage.config.json: found "./good.ts"; expected a module with plugins that can be registered, but strategy "third-party" is rejected: a strategy of that name is already registered from ./good.ts; give this one a name of its own (taken are third-party by ./good.ts), or leave one of the two modules out',
    ]);
    expect(registry.strategies.names()).toEqual(["third-party"]);
  });
});
