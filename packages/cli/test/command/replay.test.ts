import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

const quick = ["run", "--json", "--signal", "co2"];

/** A folder with a recording of a run that was interleaved at random, and what that run printed. */
async function recorded(...words: readonly string[]) {
  const folder = folderWith({ "nopage.config.json": "{}" });
  const { code, stdout } = await runCommand(
    [...quick, "--seed", "5", "--record", "order.json", ...words],
    folder,
  );
  expect(code).toBe(0);
  const path = join(folder, "order.json");
  const lines = readFileSync(path, "utf8").split("\n");
  return { folder, path, stdout, lines };
}

describe("a recorded order", () => {
  test("gives the same run again, by flag and by configuration", async () => {
    const { folder, stdout, path, lines } = await recorded();
    expect(lines.length).toBeGreaterThan(100);
    expect(await runCommand([...quick, "--replay", "order.json"], folder)).toEqual({
      code: 0,
      stdout,
      stderr: "",
    });
    // Beside the configuration it is looked up, not in the working directory.
    writeFileSync(join(folder, "replay.json"), '{ "chooser": { "replay": "order.json" } }');
    const byFile = ["--config", join(folder, "replay.json")];
    expect(await runCommand([...quick, ...byFile], "/")).toEqual({ code: 0, stdout, stderr: "" });
    expect((await runCommand(["run", "--signal", "co2", ...byFile], "/")).stdout).toContain(
      "tasks interleave as recorded in order.json.",
    );
    const again = join(folder, "again.json");
    await runCommand([...quick, ...byFile, "--record", again], "/");
    expect(readFileSync(again, "utf8")).toBe(readFileSync(path, "utf8"));
  });

  test("of a run whose process is killed gives the same end", async () => {
    const { folder, stdout } = await recorded("--kill-at", "20000");
    const replay = [...quick, "--replay", "order.json"];
    expect(await runCommand([...replay, "--kill-at", "20000"], folder)).toMatchObject({ code: 0, stdout });
    expect((await runCommand(replay, folder)).stderr).toContain(
      '--kill-at or --unplug-at: found "nothing"; expected "--kill-at 20000", as it was recorded',
    );
  });

  test("that does not fit the settings is refused, with everything that differs", async () => {
    const { folder } = await recorded();
    const words = ["run", "--replay", "order.json", "--strategy", "pfn-nopage", "--geometry", "alpha"];
    const { code, stdout, stderr } = await runCommand(words, folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('--strategy: found "pfn-nopage"; expected "lazy-nopage", as it was recorded\n');
    expect(stderr).toContain(
      'machine in nopage.config.json: found {"geometry":"alpha"}; expected {}, as it was recorded',
    );
    expect(stderr).toMatch(
      /signal in .*: found "guitar, SHA-256 b2.*…"; expected "co2, SHA-256 62.*…", as it was/,
    );
  });

  const broken: readonly (readonly [string, (lines: readonly string[]) => readonly string[], RegExp])[] = [
    ["lacks a step", (lines) => lines.filter((_, at) => at !== 50), /step \d+: .*/],
    [
      "ends too early",
      (lines) => [...lines.slice(0, 40), lines[40]?.replace(/,$/, "") ?? "", "]}"],
      /the recording ends after 40 steps, but the program goes on/,
    ],
    [
      "goes on after the end",
      (lines) => [lines[0] ?? "", ...lines.slice(1, -2), ",[1,1,0]", "]}"],
      /the program ended after \d+ steps, but the recording has \d+: task 1 would start task 1/,
    ],
    [
      "touches something else besides",
      (lines) => lines.map((line) => line.replace(/^(\[\d+,\d+,\d+,)(\d+)/, "$17")),
      /step \d+: .* is about to .* and .*, but the recording says .* and .*/,
    ],
  ];

  test.each(broken)("that %s ends the run and says where", async (_, spoil, why) => {
    const { folder, path, lines } = await recorded();
    writeFileSync(path, spoil(lines).join("\n"));
    const { code, stdout, stderr } = await runCommand([...quick, "--replay", "order.json"], folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^nopage: the recording no longer fits the program: /);
    expect(stderr).toMatch(why);
  });
});

describe("bad usage of recordings", () => {
  test.each([
    [
      ["--replay", "oder.json"],
      /--replay: found "oder.json"; expected a recording, .*no file.*; nearest choice: "order.json"\n/,
    ],
    [["--replay", "."], /--replay: .* cannot be read \(EISDIR\)\n/],
    [["--replay", "order.json"], /--replay: found "order.json"; .*but it is no JSON: order.json:1:2: /],
    [["--replay", "empty.json"], /it is no JSON: empty.json:1:1: /],
    [
      ["--replay", "form.json"],
      /form.json".*but at choices.0 there is a list of 1; expected 3 or more in it\n/,
    ],
    [["--replay", "order.json", "--seed", "1"], /--seed: found "1"; expected no --replay beside it/],
    [
      ["--record", "x.json"],
      /--record: found "x.json"; expected an order of tasks to record, which only --seed N/,
    ],
    [["--record", "a/x.json", "--seed", "1"], /there is no folder .*\/a\n/],
    [["--record", ".", "--seed", "1"], /expected the name of a file, but it is a folder\n/],
    [
      ["--record", "x.json", "--seed", "1", "--all"],
      /--all: found true; expected one run, .* these are 28; name one with/,
    ],
  ])("%j", async (words, why) => {
    const folder = folderWith({
      "order.json": "{",
      "empty.json": "",
      "form.json": JSON.stringify({
        nopage: "recording",
        version: 1,
        of: {
          strategy: "",
          pinning: "",
          device: {},
          machine: {},
          signal: { name: "", sha256: "" },
          event: "",
        },
        choices: [[1]],
      }),
    });
    const { code, stdout, stderr } = await runCommand(["run", ...words], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(why);
  });
});
