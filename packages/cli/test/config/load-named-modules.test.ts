import { describeProblem } from "@nopage/core/wiring";
import { describe, expect, test } from "vitest";
import { builtInRegistry } from "../../src/built-in-plugins.ts";
import type { Flags } from "../../src/config/flags.ts";
import { readConfiguration } from "../../src/config/read-configuration.ts";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";
import { leakyPolicy, thirdPartyStrategy } from "../support/test-plugins.ts";

async function read(folder: string, flags: Flags = {}) {
  const registry = builtInRegistry();
  const configuration = await readConfiguration(folder, flags, registry);
  const told = configuration.problems.map((problem) => describeProblem(problem).replaceAll(folder, "FOLDER"));
  return { ...configuration, registry, told };
}

const slate = `
import { defineDriver } from "@nopage/core/contract";
export const slate = defineDriver({
  name: "slate", supports: { backing: ["vmalloc"], dma: "none" },
  load: () => ({ path: "/dev/slate", *unload() { return 0; } }),
});
`;

/** The strategy as a package of JavaScript that can only be imported. */
const asPackage = (name: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({
    name,
    type: "module",
    exports: { import: "./index.js" },
  }),
  [`node_modules/${name}/index.js`]: thirdPartyStrategy
    .replace(/import type .*\n/, "")
    .replace(": MappingStrategy", ""),
});

const config = (settings: object) => ({ "nopage.config.json": JSON.stringify(settings) });

describe("a strategy, a policy and a device named by module", () => {
  test("are loaded from paths beside the configuration, and selected", async () => {
    const folder = folderWith({
      "deep/own.ts": thirdPartyStrategy,
      "deep/leaky.ts": leakyPolicy,
      "deep/slate.ts": slate,
      "deep/nopage.config.json": JSON.stringify({
        strategy: "./own.ts",
        pinning: "leaky.ts",
        device: { name: "../deep/slate.ts", options: { size: 3 } },
      }),
    });
    const { settings, told } = await read(folder, { config: "deep/nopage.config.json" });
    expect(told).toEqual([]);
    expect(settings).toEqual({
      strategy: "third-party",
      pinning: "leaky",
      device: { name: "slate", options: { size: 3 } },
    });
  });

  test.each(["their-strategy", "@their/strategy"])("are loaded from the package %s", async (name) => {
    const folder = folderWith({ ...asPackage(name), ...config({ strategy: name }) });
    const { settings, told, registry } = await read(folder);
    expect({ told, strategy: settings.strategy }).toEqual({ told: [], strategy: "third-party" });
    expect(registry.strategies.sourceOf("third-party")).toBe(name);
  });

  test("by a flag are looked up from the working directory, wherever the configuration lies", async () => {
    const folder = folderWith({ "own.ts": thirdPartyStrategy, "deep/nopage.config.json": "{}" });
    for (const strategy of ["./own.ts", "own.ts", `${folder}/own.ts`]) {
      const { settings, told } = await read(folder, { strategy, config: "deep/nopage.config.json" });
      expect({ told, strategy: settings.strategy }).toEqual({ told: [], strategy: "third-party" });
    }
  });

  test("may be in one module, and in plugins as well", async () => {
    const folder = folderWith({
      "both.ts": thirdPartyStrategy + leakyPolicy,
      ...config({ plugins: ["./both.ts"], strategy: "./both.ts", pinning: "./both.ts" }),
    });
    const { settings, told } = await read(folder);
    expect(told).toEqual([]);
    expect(settings).toMatchObject({ strategy: "third-party", pinning: "leaky" });
  });

  test("may be one that comes with nopage", async () => {
    const { settings, told } = await read(folderWith({}), { strategy: "@nopage/pfn-nopage" });
    expect({ told, strategy: settings.strategy }).toEqual({ told: [], strategy: "pfn-nopage" });
  });

  test("a registered name wins over a package of that name, and a word of Node's is no package", async () => {
    const folder = folderWith({ ...asPackage("eager-remap"), ...config({ strategy: "eager-remap" }) });
    expect((await read(folder)).settings.strategy).toBe("eager-remap");
    const { settings, told } = await read(folderWith({}), { strategy: "path" });
    expect({ told, strategy: settings.strategy }).toEqual({ told: [], strategy: "path" });
  });

  test("run, and with --all narrow the runs", async () => {
    const own = thirdPartyStrategy.replace("backing: [", 'name: "x", backing: [').replace('name: "x", ', "");
    const folder = folderWith({ "own.ts": own });
    const words = [
      "run",
      "--all",
      "--strategy",
      "./own.ts",
      "--pinning",
      "refcount",
      "--json",
      "--signal",
      "co2",
    ];
    const { stdout, stderr } = await runCommand(words, folder);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout).runs).toMatchObject([{ strategy: "third-party", pinning: "refcount" }]);
  });
});

describe("a module that is named and cannot be had", () => {
  const expected =
    'expected the name of a strategy (one of "eager-remap", "lazy-nopage", "page-lookup", "pfn-nopage"), or a module that exports one, but';

  test.each([
    [
      "./ow.ts",
      "it cannot be loaded from FOLDER/nopage.config.json: Cannot find module './ow.ts'",
      "./own.ts",
    ],
    [
      "nowhere/at-all",
      "it cannot be loaded from FOLDER/nopage.config.json: Cannot find module 'nowhere/at-all'",
    ],
    [
      "./none.ts",
      "the module is rejected: it exports answer (a number) and no plugin; it must export what defineS",
    ],
    ["./leaky.ts", 'the module is rejected: it exports no strategy but pinning policy "leaky"'],
    [
      "./two.ts",
      'the module is rejected: it exports more than one: strategy "other", strategy "third-party"; put the module into plugins, and the name of one here',
    ],
    ["./throws.ts", "it cannot be loaded from FOLDER/nopage.config.json: not today"],
    ["./syntax.ts", "it cannot be loaded from FOLDER/nopage.config.json: syntax.ts:2:17: Unexpected token"],
    ["./empty.ts", "the module is rejected: it exports nothing at all"],
    ["./nothing.ts", "the module is rejected: it exports nothing at all; it must"],
    [
      "./taken.ts",
      'strategy "pfn-nopage" is rejected: a strategy of that name is already registered from @nopage/pfn-nopage; give this one a name of its own (taken are eager-remap by @nopage/eager-remap, lazy-nopage by',
    ],
  ])("%s: %s", async (strategy, why, nearest?: string) => {
    const folder = folderWith({
      "own.ts": thirdPartyStrategy,
      "leaky.ts": leakyPolicy,
      "none.ts": "export const answer = 42;",
      "two.ts": `${thirdPartyStrategy}\nexport const other = { ...thirdParty, name: "other" };`,
      "throws.ts": 'throw new Error("not today\\nnor tomorrow");',
      "syntax.ts": "// A comment.\nexport const a =;\n",
      "empty.ts": "",
      "nothing.ts": "export default undefined;",
      "taken.ts": thirdPartyStrategy.replace('"third-party"', '"pfn-nopage"'),
      ...config({ strategy }),
    });
    const { told } = await read(folder);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(
      `strategy in nopage.config.json: found ${JSON.stringify(strategy)}; ${expected} ${why}`,
    );
    expect(told[0]?.endsWith(`nearest choice: ${JSON.stringify(nearest)}`)).toBe(nearest !== undefined);
    const { code, stdout, stderr } = await runCommand(["run"], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("nopage: 1 problem, and nothing was run\n");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("is told at the flag that names it", async () => {
    const { told } = await read(folderWith({}), {
      strategy: "./own.ts",
      pinning: "./p.ts",
      device: "./d.ts",
    });
    expect(told.map((line) => line.split(":")[0])).toEqual(["--strategy", "--pinning", "--device"]);
  });

  test("a name that is neither registered nor a module is told that it could have been one", async () => {
    const { code, stderr } = await runCommand(["run", "--strategy", "lazy-nopge"], folderWith({}));
    expect(code).toBe(2);
    expect(stderr).toContain(
      '"pfn-nopage"; or the package or path of a module that exports one; nearest choice: "lazy-nopage"\n',
    );
  });
});

test("a mirror for a strategy: what it is, and how it is used", async () => {
  const { code, stderr } = await runCommand(["run", "--strategy", "notifier-mirror"], folderWith({}));
  expect(code).toBe(2);
  expect(stderr).toContain("It is a mirror, a page table of the device's own");
  expect(stderr).toContain('set pinning to "none-notifier" or "none-interval"');
  expect(stderr).not.toContain("nearest choice");
});
