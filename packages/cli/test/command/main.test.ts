import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";
import { thirdPartyStrategy } from "../support/test-plugins.ts";

describe("the command line", () => {
  test("help is printed when it is asked for, and complained when nothing is", async () => {
    const asked = await runCommand(["--help"]);
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    expect(asked.stdout).toMatch(
      /Usage: nopage.*\n[\s\S]*run \[options\][\s\S]*list \[options\][\s\S]*conform \[options\] [\s\S]*lab \[options\][\s\S]*doctor \[options\][\s\S]*new \[options\] /,
    );
    expect(asked.stdout).not.toMatch(/compare/);
    expect(await runCommand(["run", "--help"])).toMatchObject({ code: 0, stderr: "" });
    expect(await runCommand([])).toMatchObject({ code: 2, stdout: "" });
  });

  test("the version is printed", async () => {
    expect(await runCommand(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
  });

  test.each([
    [
      ["rnu"],
      'nopage: found "rnu"; expected a command: one of "run", "list", "conform", "explore", "replay", "lab", "doctor", "new"; nearest choice: "run"',
    ],
    [
      ["--verbos"],
      'nopage: found "--verbos"; expected a command, or an option: "--version" or "--help"; nearest',
    ],
    [
      ["list", "--jsn"],
      'nopage list: found "--jsn"; expected an option: one of "--config", "--json", "--help"; nearest choice: "--json"',
    ],
    [["run", "--strategi=x", "y"], 'nopage run: found "--strategi=x"; expected an option: one of'],
    [["doctor", "now"], 'nopage doctor: found "now"; expected no further word'],
    [["run", "--strategy"], "--strategy: found nothing; expected a value, as in --strategy <name>"],
  ])("%j is bad usage", async (words, why) => {
    const { code, stdout, stderr } = await runCommand(words);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(why);
  });

  test("several unknown options are told together", async () => {
    const { stderr } = await runCommand(["run", "--one", "--two", "2"]);
    expect(stderr).toMatch(/2 problems[\s\S]*"--one"[\s\S]*"--two"/);
  });
});

describe("nopage list", () => {
  test("shows every kind with what it supports", async () => {
    const { code, stdout } = await runCommand(["list", "--json"]);
    const listing = JSON.parse(stdout) as Record<
      string,
      { name: string; supports: Record<string, unknown> }[]
    >;
    expect(code).toBe(0);
    expect(Object.keys(listing)).toEqual(["strategies", "mirrors", "pinning", "devices", "geometries"]);
    const named = (kind: string) => listing[kind]?.map(({ name }) => name);
    expect(named("strategies")).toEqual(
      expect.arrayContaining(["eager-remap", "lazy-nopage", "page-lookup", "pfn-nopage"]),
    );
    expect(named("mirrors")).toEqual(["notifier-mirror", "interval-mirror"]);
    expect(named("pinning")).toContain("refcount");
    expect(named("devices")).toEqual(["highway"]);
    expect(named("geometries")).toEqual(["x86-64", "i386", "alpha", "arm64-64k"]);
    for (const { supports } of Object.values(listing).flat())
      expect(Object.keys(supports).length).toBeGreaterThan(1);
    expect(listing["geometries"]?.[0]?.supports).toMatchObject({
      pageSize: 4096,
      largeLeaves: [2 ** 21, 2 ** 30],
    });
  });

  test("shows third parties' plugins among the others", async () => {
    const folder = folderWith({
      "own.ts": thirdPartyStrategy,
      "nopage.config.yaml": "plugins: [./own.ts]\n",
    });
    expect((await runCommand(["list"], folder)).stdout).toMatch(
      /^Mapping strategies\n[\s\S]*third-party[\s\S]*Pinning policies/,
    );
  });

  test("a configuration that is wrong lists nothing", async () => {
    const folder = folderWith({ "nopage.config.yaml": "plugin: ./own.ts\n" });
    expect(await runCommand(["list"], folder)).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("nopage doctor", () => {
  test("finds what the command needs", async () => {
    const { code, stdout } = await runCommand(["doctor"], folderWith({}));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ok {2}Node: \d+\.\d+\.\d+\nok {2}configuration: no file, the defaults count\nok {2}plugins: .*lazy-nopage/,
    );
  });

  test("a configuration of a folder above is told not to count", async () => {
    const folder = folderWith({ "nopage.config.yaml": "strategy: pfn-nopage\n", "deep/x.txt": "" });
    const { code, stdout } = await runCommand(["doctor"], `${folder}/deep`);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `no file, the defaults count; ${folder}/nopage.config.yaml is not of this folder and counts only with --config\n`,
    );
  });

  test("a configuration that is wrong is a finding like any other", async () => {
    const folder = folderWith({ "nopage.config.yaml": "machine: { cpus: 0 }\n" });
    const { code, stdout } = await runCommand(["doctor", "--json"], folder);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      findings: expect.arrayContaining([expect.objectContaining({ name: "configuration", ok: false })]),
    });
    const unknown = folderWith({ "nopage.config.yml": "strategy: lazy-nopge\nsignal: gitar.wav\n" });
    const { stdout: told } = await runCommand(["doctor"], unknown);
    expect(told).toMatch(
      /no {2}configuration: strategy in .*: found "lazy-nopge".*nearest choice: "lazy-nopage"\n/,
    );
    expect(told).toMatch(/no {2}configuration: signal in .*: found ".*gitar.wav"/);
    const unreadable = await runCommand(["doctor"], folderWith({ "nopage.config.json": "{" }));
    expect(unreadable).toMatchObject({ code: 1, stdout: expect.stringContaining("no  configuration: ") });
  });
});
