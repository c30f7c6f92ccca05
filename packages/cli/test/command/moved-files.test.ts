import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

const example = fileURLToPath(new URL("../../../../examples/busy-flag/busy-flag.ts", import.meta.url));
const busyFlag = readFileSync(example, "utf8");
/** A word in a folder, and where the file is saved from there. */
type Typed = readonly [word: string, directory: string, file: string];

interface Named {
  readonly plugin: { readonly name: string };
}

/** A folder with the plugin in `p/`, and a file about it that was saved as this says. */
async function folderWithSaved([word, directory, file]: Typed, ...flags: readonly string[]): Promise<string> {
  const folder = folderWith({ "p/busy-flag.ts": busyFlag, "f/other.ts": "export {};" });
  const from = join(folder, directory);
  const path = word === "/" ? join(folder, "p/busy-flag.ts") : word;
  await runCommand(["explore", path, "--law", "QU-02", "--save", file, ...flags], from);
  return folder;
}

function nameIn(folder: string, file: string): string {
  return (JSON.parse(readFileSync(join(folder, file), "utf8")) as Named).plugin.name;
}

/** The file as it was written before paths were as seen from it. */
function nameAsTyped(folder: string, file: string, name: string): void {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(`"name": "${nameIn(folder, file)}"`, `"name": "${name}"`));
}

const again = { code: 1, stderr: "" };

describe("what explore --save has written", () => {
  it.each<[Typed, string]>([
    [["./busy-flag.ts", "p", "../f/failure.json"], "../p/busy-flag.ts"],
    [["p/busy-flag.ts", ".", "f/failure.json"], "../p/busy-flag.ts"],
    [["/", ".", "f/failure.json"], "../p/busy-flag.ts"],
    [["./busy-flag.ts", "p", "../failure.json"], "./p/busy-flag.ts"],
  ])("MUST name the plugin as seen from the file, and be found from anywhere: %j", async (typed, name) => {
    const folder = await folderWithSaved(typed);
    const file = typed[2].replace("../", "");
    expect(nameIn(folder, file)).toBe(name);
    expect(await runCommand(["replay", join(folder, file)], "/")).toMatchObject(again);
    // As on another machine: both have gone elsewhere together.
    const elsewhere = folderWith({});
    for (const part of ["p", "f"]) renameSync(join(folder, part), join(elsewhere, part));
    if (file === "failure.json") renameSync(join(folder, file), join(elsewhere, file));
    expect(await runCommand(["replay", file], elsewhere)).toMatchObject(again);
  });

  it("MUST name a plugin that comes with the command by its name", async () => {
    const folder = folderWith({});
    const words = ["explore", "lazy-nopage", "--law", "QU-02", "--max-executions", "2", "--save", "f.json"];
    await runCommand(words, folder);
    expect(nameIn(folder, "f.json")).toBe("lazy-nopage");
  });

  it("MUST be gone on with from anywhere, and name the plugin anew where the next file lies elsewhere", async () => {
    const typed = ["./busy-flag.ts", "p", "../f/search.json"] as const;
    const folder = await folderWithSaved(typed, "--max-executions", "2");
    expect(nameIn(folder, "f/search.json")).toBe("../p/busy-flag.ts");
    mkdirSync(join(folder, "g/h"), { recursive: true });
    const resume = ["explore", "--resume", "../f/search.json", "--save", "h/failure.json"];
    expect(await runCommand(resume, join(folder, "g"))).toMatchObject(again);
    expect(nameIn(folder, "g/h/failure.json")).toBe("../../p/busy-flag.ts");
    expect(await runCommand(["replay", join(folder, "g/h/failure.json")], "/")).toMatchObject(again);
  });

  it.each(["./busy-flag.ts", "busy-flag.ts"])(
    "MUST be found from the working directory where it says %s as it was typed there",
    async (name) => {
      const folder = await folderWithSaved(["./busy-flag.ts", "p", "../f/failure.json"]);
      nameAsTyped(folder, "f/failure.json", name);
      expect(await runCommand(["replay", "../f/failure.json"], join(folder, "p"))).toMatchObject(again);
      const search = ["./busy-flag.ts", "p", "../f/search.json"] as const;
      const other = await folderWithSaved(search, "--max-executions", "2");
      nameAsTyped(other, "f/search.json", name);
      const resume = ["explore", "--resume", "../f/search.json"];
      expect(await runCommand(resume, join(other, "p"))).toMatchObject(again);
    },
  );
});

describe("a plugin that is no more where the file says", () => {
  const typed = ["./busy-flag.ts", "p", "../f/failure.json"] as const;

  it("MUST be told with the nearest module, and how it is named", async () => {
    const folder = await folderWithSaved(typed);
    renameSync(join(folder, "p/busy-flag.ts"), join(folder, "p/busy-flags.ts"));
    const { code, stdout, stderr } = await runCommand(["replay", "f/failure.json"], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(
      'plugin.name in f/failure.json: found "../p/busy-flag.ts"; expected the path of a module, from the folder of this file or from the working directory; --plugin PLUGIN names it where it lies elsewhere; nearest choice: "../p/busy-flags.ts"',
    );
  });

  it("MUST be told of a search too that is to go on", async () => {
    const folder = await folderWithSaved(
      ["./busy-flag.ts", "p", "../f/search.json"],
      "--max-executions",
      "2",
    );
    renameSync(join(folder, "p/busy-flag.ts"), join(folder, "p/busy-flags.ts"));
    const { code, stderr } = await runCommand(["explore", "--resume", "f/search.json"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'plugin.name in search.json: found "../p/busy-flag.ts"; expected the path of a module',
    );
    expect(stderr).toContain('working directory; nearest choice: "../p/busy-flags.ts"');
  });

  it("MUST be found where --plugin says", async () => {
    const folder = await folderWithSaved(typed);
    mkdirSync(join(folder, "q"));
    renameSync(join(folder, "p/busy-flag.ts"), join(folder, "q/busy-flag.ts"));
    for (const word of ["./q/busy-flag.ts", "q/busy-flag.ts", join(folder, "q/busy-flag.ts")]) {
      const words = ["replay", "f/failure.json", "--plugin", word];
      expect(await runCommand(words, folder)).toMatchObject(again);
    }
  });

  it.each([
    ["./p/busy-flog.ts", "cannot be loaded", '; nearest choice: "./p/busy-flag.ts"'],
    ["lazy-nopag", "the name of a strategy", '; nearest choice: "lazy-nopage"'],
    ["lazy-nopage", "a module that exports the plugin of busy-flag on pfn-run", ""],
    ["", "the name of a strategy", ""],
  ])("MUST NOT be looked for where --plugin %j does not lead to it", async (word, expected, nearest) => {
    const folder = await folderWithSaved(typed);
    const words = ["replay", "f/failure.json", "--plugin", word];
    const { code, stdout, stderr } = await runCommand(words, folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`--plugin: found "${word}"; expected `);
    expect(stderr).toContain(expected);
    expect(stderr).toContain(nearest);
  });
});
