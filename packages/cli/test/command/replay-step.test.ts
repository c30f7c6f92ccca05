import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { main } from "../../src/command/main.ts";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

const example = fileURLToPath(new URL("../../../../examples/busy-flag/busy-flag.ts", import.meta.url));

async function folderWithFailure(): Promise<string> {
  const folder = folderWith({});
  await runCommand(["explore", example, "--law", "QU-02", "--save", "failure.json"], folder);
  return folder;
}

describe("nopage replay --step", () => {
  it("goes through a failure with the keys that are pressed, and ends as the failure does", async () => {
    const directory = await folderWithFailure();
    const screens: string[] = [];
    const terminal = {
      columns: 100,
      rows: 40,
      show: (screen: string) => void screens.push(screen),
      async *keys() {
        yield* ["m", "m", "left", "q", "right"];
      },
    };
    const quiet = { print: () => undefined, complain: () => undefined, progress: () => undefined };
    const output = { ...quiet, directory, columns: 100, terminal };
    expect(await main(["replay", "failure.json", "--step"], "1.2.3", output)).toBe(1);
    const positions = screens.map((screen) => screen.split("\n")[1]);
    expect(positions).toEqual([
      expect.stringMatching(/^before the first of \d+ steps, failed after \d+$/),
      expect.stringMatching(/^after step \d+ of \d+, failed after \d+ {3}>> one of the two steps that met$/),
      expect.stringMatching(/^after step \d+ of \d+, failed after \d+ {3}>> one of the two steps that met$/),
      expect.stringMatching(/^after step \d+ of \d+, failed after \d+$/),
    ]);
    expect(screens.at(-1)).toContain("* gate /dev/subject");
  });

  it("needs a terminal, and nothing beside it that has no use for one", async () => {
    const { code, stdout, stderr } = await runCommand(["replay", "failure.json", "--step"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("--step: found true; expected a terminal");
    const json = await runCommand(["replay", "failure.json", "--step", "--json"]);
    expect(json.code).toBe(2);
    expect(json.stderr).toContain("--json: found true; expected no --step beside it");
  });
});
