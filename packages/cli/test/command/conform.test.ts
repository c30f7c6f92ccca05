import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allLaws } from "@nopage/testkit/conform";
import { allMutants } from "@nopage/testkit/mutants";
import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";
import { thirdPartyStrategy } from "../support/test-plugins.ts";

const quick = ["--law", "LK-02", "LK-06", "--geometry", "x86-64"];

const broken = new Set(allMutants.flatMap(({ caughtBy }) => Object.keys(caughtBy)));
/** A law that no mutant breaks. */
const notBroken = allLaws.find(({ id }) => !broken.has(id))?.id ?? "";

describe("nopage conform", () => {
  test("names the plugins that it was given, and says that they hold", async () => {
    const { code, stdout, stderr } = await runCommand(["conform", "lazy-nopage", "eager-remap", ...quick]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^2 laws of mapping, on x86-64\.\n +lazy-nopage +eager-remap\n +LK, 2 laws +2 hold/,
    );
    expect(stdout).toMatch(/\nIt holds: 2 laws on 2 plugins and 1 geometry; .*\.\n$/);
  });

  test("without a name it holds every strategy, mirror and policy to the law", async () => {
    const { code, stdout } = await runCommand(["conform", "--json", "--law", "LK-02", "--geometry", "i386"]);
    expect(code).toBe(0);
    const { laws, results } = JSON.parse(stdout);
    expect(laws).toEqual([
      { id: "LK-02", level: "required", rule: expect.any(String), source: expect.any(String) },
    ]);
    const listed = JSON.parse((await runCommand(["list", "--json"])).stdout);
    const names = [...listed.strategies, ...listed.mirrors, ...listed.pinning].map(({ name }) => name);
    expect(results.map(({ strategy }: { strategy: string }) => strategy)).toEqual(names);
    expect(results[0]).toMatchObject({
      geometry: "i386",
      accessor: "cpu",
      law: "LK-02",
      status: "pass",
      reason: "",
    });
  });

  test("a third party's strategy that breaks a law is told by law, place and reason, in every view", async () => {
    const folder = folderWith({ "mine.ts": thirdPartyStrategy });
    const views = ["--junit", "r.xml", "--markdown", "r.md"];
    const { code, stdout, stderr } = await runCommand(["conform", "./mine.ts", ...quick, ...views], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain("BROKEN");
    expect(stdout).toMatch(
      /\nLK-02 virtual neighbours .*\n {2}third-party on x86-64:\n {4}third-party on pfn-run: page 0 is /,
    );
    expect(stdout).toMatch(/\nIt does not hold: \d times? a law is broken: /);
    expect(readFileSync(join(folder, "r.xml"), "utf8")).toContain(
      '<failure message="third-party on pfn-run: page 0',
    );
    expect(readFileSync(join(folder, "r.md"), "utf8")).toContain("- **LK-02** on third-party, x86-64: ");
  });

  test("all that is wrong with the words is told at once, and nothing is run", async () => {
    const words = ["lazy-nopaeg", "--law", "lk-6", "XX", "--geometry", "x86", "--junit", "/no/such/folder/x"];
    const { code, stdout, stderr } = await runCommand(["conform", ...words]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("5 problems, and nothing was run");
    expect(stderr).toMatch(/found "lazy-nopaeg"; expected the name of .*nearest choice: "lazy-nopage"/);
    expect(stderr).toMatch(/--law: found "lk-6"; .*nearest choice: "LK-06"/);
    expect(stderr).toMatch(/--law: found "XX"; expected a law such as MM-01, or a family: one of "MM"/);
    expect(stderr).toMatch(/--geometry: found "x86"; .*nearest choice: "x86-64"/);
    expect(stderr).toMatch(/--junit: found "\/no\/such\/folder\/x"; expected a path in a folder that exists/);
  });

  test.each([
    [["conform", "./none.ts"], /found "\.\/none\.ts"; expected .*, or a module that exports one, but/],
    [
      ["conform", "--law", "LK-06", "eager-remap", "./mine.ts"],
      /found "eager-remap"; .*; a plugin is named before --law\n.*found "\.\/mine\.ts"; .* named before --law/,
    ],
    [
      ["conform", "--geometry", "i386", "refcount"],
      /found "refcount"; .* a plugin is named before --geometry/,
    ],
    [["conform", "--laws", "LK"], /found "--laws"; expected an option: .*nearest choice: "--law"/],
    [["conform", "--explain", "LK"], /found "LK"; expected one law of that family: one of "LK-01"/],
    [
      ["conform", "highway"],
      /found "highway"; expected the name of a strategy, a mirror or a pinning policy/,
    ],
  ])("%j is bad usage", async (words, problem) => {
    const { code, stderr } = await runCommand(words, folderWith({}));
    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });

  test("a law may be named in any case", async () => {
    const words = ["conform", "lazy-nopage", "--law", "lk-06", "Rv-01", "--geometry", "x86-64", "--json"];
    const { code, stdout } = await runCommand(words);
    const { laws } = JSON.parse(stdout) as { readonly laws: readonly { readonly id: string }[] };
    expect({ code, laws: laws.map(({ id }) => id) }).toEqual({ code: 0, laws: ["LK-06", "RV-01"] });
    const explained = await runCommand(["conform", "--explain", "lk-06", "page-lookup"]);
    expect(explained.stdout).toMatch(/^LK-06 /);
  });

  test.each([
    [["lk-06"], (law: string) => law === "LK-06"],
    [["rc", "LK-02"], (law: string) => law === "LK-02" || law.startsWith("RC-")],
  ])(
    "--mutants --law %j tries the mutants that these laws are to catch, and no others",
    async (laws, isAsked) => {
      const { code, stdout } = await runCommand(["conform", "--mutants", "--json", "--law", ...laws]);
      const { mutants } = JSON.parse(stdout) as { readonly mutants: readonly { readonly name: string }[] };
      const asked = allMutants.filter(({ caughtBy }) => Object.keys(caughtBy).some(isAsked));
      expect(asked.length).toBeGreaterThan(0);
      expect({ code, names: mutants.map(({ name }) => name) }).toEqual({
        code: 0,
        names: asked.map(({ name }) => name),
      });
    },
  );

  test.each([
    [["--geometry", "i386"], "--geometry"],
    [["--junit", "r.xml"], "--junit"],
    [["--markdown", "r.md"], "--markdown"],
    [["--explain", "LK-06"], "--explain"],
    [["--config", "nopage.config.json"], "--config"],
  ])("--mutants with %j is bad usage", async (words, flag) => {
    const { code, stdout, stderr } = await runCommand(["conform", "--mutants", ...words], folderWith({}));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${flag}: found `);
    expect(stderr).toContain("expected no --mutants beside it");
  });

  test.each([
    ["lk-6", /--law: found "lk-6"; .*nearest choice: "LK-06"/],
    [notBroken, /--law: found ".*"; expected a law that some mutant breaks/],
  ])("--mutants with a law that it has nothing for, %s, is bad usage", async (law, problem) => {
    const { code, stderr } = await runCommand(["conform", "--mutants", "--law", law]);
    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });

  test("--explain tells a law by what its programs do", async () => {
    const { code, stdout } = await runCommand(["conform", "--explain", "LK-06", "page-lookup"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^LK-06 {2}a hole.* MUST end in SIGBUS/);
    expect(stdout).toContain("sources  snd_pcm_mmap_data_fault");
    expect(stdout).toContain("on page-lookup on page-array with holes:\n      main: subject.map() = 0x");
    expect(stdout).toMatch(/main: load\(address 0x[0-9a-f]+, width 4\) = SIGBUS BUS_ADRERR\n/);
  });
});
