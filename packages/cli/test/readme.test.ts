import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
  const marker = /<!-- output of: nopage (.*?)(?:, which exits with (\d))? -->\n```\n(.*?)```/gs;
  const shown = [...readme.matchAll(marker)];
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  expect(shown.length).toBeGreaterThan(1);
  for (const [, words, exit = "0", output] of shown) {
    const { code, stdout } = await runCommand(words.split(" "), root);
    const expected = { words, code: Number(exit), stdout: output.trim() };
    expect({ words, code, stdout: stdout.trim() }).toEqual(expected);
  }
});

/** The parts of the documents that have fields of their own. */
interface Printed {
  readonly runs: readonly { readonly duringDma: object }[];
  readonly findings: readonly object[];
  readonly results: readonly object[];
}

test("every field that a document has is named in the README", async () => {
  const documentOf = async (...words: readonly string[]) =>
    JSON.parse((await runCommand([...words, "--json"])).stdout) as Printed;
  const quick = ["run", "--signal", "co2"];
  const run = await documentOf(...quick);
  const killed = await documentOf(...quick, "--kill-at", "20000");
  const unplugged = await documentOf(...quick, "--unplug-at", "20000");
  const example = fileURLToPath(new URL("../../../examples/busy-flag/busy-flag.ts", import.meta.url));
  const explored = await documentOf("explore", example, "--law", "QU-02");
  const list = await documentOf("list");
  const doctor = await documentOf("doctor");
  const parts: object[] = [
    explored,
    explored.results[0],
    run,
    killed,
    unplugged,
    list,
    doctor,
    doctor.findings[0],
    run.runs[0].duringDma,
  ];
  for (const { runs } of [run, killed, unplugged]) parts.push(runs[0]);
  const section = readme.slice(readme.indexOf("## As JSON"), readme.indexOf("## The strategies"));
  const code = [...section.matchAll(/`[^`]+`/g)].join(" ");
  const names = parts.flatMap((part) => Object.keys(part));
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
});
