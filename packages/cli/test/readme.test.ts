import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { folderWith } from "./support/folder.ts";
import { runCommand } from "./support/run-command.ts";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

/** The code blocks of a language, in order. */
function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code);
}

test("the configuration and the strategy that the README shows run together and hold", async () => {
  const [configuration, strategy] = blocks("ts");
  expect(configuration).toContain('strategy: "lazy-nopage"');
  const folder = folderWith({
    "nopage.config.ts": configuration.replace('strategy: "lazy-nopage"', 'strategy: "mine"'),
    "my-strategy.ts": strategy,
  });
  const { code, stdout, stderr } = await runCommand(["run", "--json"], folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { runs } = JSON.parse(stdout) as { runs: { strategy: string; acquired: object; signal: object }[] };
  expect(runs.map((run) => run.strategy)).toEqual(["mine"]);
  expect(runs[0].acquired).toEqual(runs[0].signal);
});

test("every output that the README shows is what the command prints", async () => {
  const shown = [...readme.matchAll(/<!-- output of: nopage (.*?) -->\n```\n(.*?)```/gs)];
  expect(shown.length).toBeGreaterThan(1);
  for (const [, words, output] of shown) {
    const { code, stdout } = await runCommand(words.split(" "));
    expect({ words, code, stdout: stdout.trim() }).toEqual({ words, code: 0, stdout: output.trim() });
  }
});
