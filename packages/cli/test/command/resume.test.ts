import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

const example = fileURLToPath(new URL("../../../../examples/busy-flag/busy-flag.ts", import.meta.url));
const alone = ["--workers", "1", "--json"];

interface Results {
  readonly results: readonly {
    readonly verdict: string;
    readonly executions: number;
    readonly asPlanned: boolean;
  }[];
}

/** What the command prints as JSON. */
async function explore(words: readonly string[], folder = "/"): Promise<Results> {
  const { stdout, stderr } = await runCommand(["explore", ...words, ...alone], folder);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Results;
}

/** A folder with a search in it that was left off. */
async function folderWithSearch(): Promise<string> {
  const folder = folderWith({});
  const words = ["lazy-nopage", "--law", "QU-02", "--max-executions", "5", "--save", "search.json"];
  const { results } = await explore(words, folder);
  expect(results.map(({ verdict }) => verdict)).toContain("open");
  return folder;
}

describe("a search that is saved and gone on with", () => {
  it.each([40])(
    "MUST end with the same totals as an unbroken one, in pieces of %i runs",
    async (runs) => {
      const unbroken = await explore(["lazy-nopage", "--law", "RE-11", "--complete"]);
      const folder = folderWith({});
      const limits = ["--max-executions", `${runs}`, "--save", "search.json"];
      let broken = await explore(["lazy-nopage", "--law", "RE-11", ...limits], folder);
      let pieces = 1;
      for (; broken.results.some(({ verdict }) => verdict === "open"); pieces++) {
        broken = await explore(["--resume", "search.json", ...limits], folder);
      }
      expect(broken).toEqual(unbroken);
      expect(pieces).toBe(
        Math.ceil(Math.max(...unbroken.results.map(({ executions }) => executions)) / runs),
      );
    },
    120_000,
  );

  it.each([
    ["--preemptions", "1"],
    ["--random", "100", "--seed", "5"],
    ["--pct", "100", "--depth", "3"],
  ])("MUST end with the same totals as an unbroken one of %s %s", async (...flags) => {
    const words = ["lazy-nopage", "--law", "QU-02", ...flags];
    const unbroken = await explore(words);
    const folder = folderWith({});
    const limits = ["--max-executions", "20", "--save", "search.json"];
    let broken = await explore([...words, ...limits], folder);
    let pieces = 1;
    while (broken.results.some(({ asPlanned }) => !asPlanned) && pieces < 100) {
      broken = await explore(["--resume", "search.json", ...limits], folder);
      pieces++;
    }
    expect(broken).toEqual(unbroken);
    expect(pieces).toBeGreaterThan(1);
  });

  it("MUST find the same failure", async () => {
    const folder = folderWith({});
    const words = [example, "--law", "QU-02"];
    const unbroken = await explore(words);
    let broken = await explore([...words, "--max-executions", "2", "--save", "search.json"], folder);
    expect(broken.results.map(({ verdict }) => verdict)).not.toContain("broken");
    broken = await explore(["--resume", "search.json", "--save", "search.json"], folder);
    expect(broken).toEqual(unbroken);
    const saved = JSON.parse(readFileSync(join(folder, "search.json"), "utf8")) as { nopage: string };
    expect(saved.nopage).toBe("counterexample");
  });

  it("MUST stop when the time is over, and keep what there is", async () => {
    const folder = folderWith({});
    const words = ["lazy-nopage", "--law", "FR-12", "--max-seconds", "1", "--save", "search.json"];
    await explore(words, folder);
    expect(existsSync(join(folder, "search.json"))).toBe(true);
  });
});

describe("a file to go on from is refused", () => {
  it.each([
    ["core", '"name": "@nopage/core"', "@nopage/core has changed since this was saved"],
    ["laws", '"name": "@nopage/testkit"', "@nopage/testkit has changed since this was saved"],
    ["plugin", '"name": "lazy-nopage"', "lazy-nopage has changed since this was saved"],
  ])("when the code is other code: %s", async (_which, after, why) => {
    const folder = await folderWithSearch();
    const path = join(folder, "search.json");
    const text = readFileSync(path, "utf8");
    const at = text.indexOf('"hash": "', text.indexOf(after)) + '"hash": "'.length;
    writeFileSync(path, `${text.slice(0, at)}0000${text.slice(at + 4)}`);
    const { code, stderr } = await runCommand(["explore", "--resume", "search.json"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it.each([
    [
      "it was changed",
      (text: string) => text.replace('"executions":', '"executions":1'),
      "it was changed after",
    ],
    ["it is a failure", () => '{ "nopage": "counterexample" }', "which nopage replay FILE runs again"],
    ["it is no JSON", () => "{", "it is no JSON: search.json:1:2"],
    ["it is something else", () => "{}", "nopage has not written it"],
    [
      "its plan was changed",
      (text: string) => text.replace('"plan": "optimal"', '"plan": "x"'),
      "it was changed",
    ],
  ])("when %s", async (_what, change, why) => {
    const folder = await folderWithSearch();
    const path = join(folder, "search.json");
    writeFileSync(path, change(readFileSync(path, "utf8")));
    const { code, stderr } = await runCommand(["explore", "--resume", "search.json"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it("when something is said anew that it says", async () => {
    const folder = await folderWithSearch();
    const words = ["explore", "--resume", "search.json", "--law", "QU-03", "--workers", "0"];
    const { code, stderr } = await runCommand(words, folder);
    expect(code).toBe(2);
    expect(stderr).toContain('--law: found "QU-03"; expected no --resume beside it');
    expect(stderr).toContain('--workers: found "0"; expected a whole number from 1 on; nearest choice: "1"');
  });
});
