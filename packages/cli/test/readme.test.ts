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
  expect(configuration).toContain('strategy: "./my-strategy.ts"');
  const folder = folderWith({ "nopage.config.ts": configuration, "my-strategy.ts": strategy });
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

test("every field that a document has is named in the README", async () => {
  const run = await runCommand(["run", "--json", "--signal", "co2"]);
  const list = await runCommand(["list", "--json"]);
  const [first] = JSON.parse(run.stdout).runs as { duringDma: object }[];
  const names = [first, first.duringDma, JSON.parse(list.stdout)].flatMap((part) => Object.keys(part));
  const section = readme.slice(readme.indexOf("## As JSON"), readme.indexOf("## The strategies"));
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(section))).toEqual([]);
});
