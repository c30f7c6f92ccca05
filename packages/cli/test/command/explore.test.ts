import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

const example = fileURLToPath(new URL("../../../../examples/busy-flag/busy-flag.ts", import.meta.url));
const busyFlag = readFileSync(example, "utf8");

/** A folder with such a failure, and another text in the place of the example: a process loads a module once. */
async function folderWithChanged(text: string): Promise<string> {
  return folderWith({ "busy-flag.ts": text, "failure.json": await savedFailure() });
}

/** A folder with the example in it, and the failure that exploring it has saved. */
async function folderWithFailure(): Promise<string> {
  return folderWith({ "busy-flag.ts": busyFlag, "failure.json": await savedFailure() });
}

/** The text of that file, which is the same each time. */
let saved: Promise<string> | undefined;
function savedFailure(): Promise<string> {
  saved ??= explored();
  return saved;
}

async function explored(): Promise<string> {
  const folder = folderWith({ "busy-flag.ts": busyFlag });
  const words = ["explore", "./busy-flag.ts", "--law", "QU-02", "--save", "failure.json"];
  const { code, stderr } = await runCommand(words, folder);
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  return readFileSync(join(folder, "failure.json"), "utf8");
}

describe("nopage explore", () => {
  it("MUST find a plugin whose path is written without what it ends in, and tell what it is by the same file", async () => {
    const folder = folderWith({ "busy-flag.ts": busyFlag });
    const words = ["explore", "./busy-flag", "--law", "QU-02", "--save", "failure.json"];
    const { code, stderr } = await runCommand(words, folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const texts = [readFileSync(join(folder, "failure.json"), "utf8"), await savedFailure()];
    const hashes = texts.map((text) => (JSON.parse(text) as { plugin: { hash: string } }).plugin.hash);
    expect(hashes[0]).toBe(hashes[1]);
  });

  it("finds the race of the example, and shows the two steps that met", async () => {
    const { code, stdout } = await runCommand(["explore", example, "--law", "QU-02"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^broken {2}QU-02, on busy-flag on pfn-run: in execution \d+$/m);
    expect(stdout).toContain("with 1 preemption, and no order with fewer breaks it");
    expect(stdout.match(/>> (read|write) busy/g)).toEqual([">> read busy", ">> write busy"]);
    expect(stdout).toContain("* the gate closes");
    expect(stdout).toContain("~ entry of law at 0x7fffb000: frame ");
    expect(stdout).toContain("~ TLB of CPU 1 at 0x7fffb000: frame ");
  });

  it("says of a strategy that keeps a law that all orders were tried", async () => {
    const words = ["explore", "pfn-nopage", "--law", "LC-20", "--complete", "--json"];
    const { code, stdout } = await runCommand(words);
    expect(code).toBe(0);
    const { results } = JSON.parse(stdout) as { results: readonly object[] };
    expect(results.length).toBeGreaterThan(0);
    for (const result of results)
      expect(result).toMatchObject({ verdict: "holds", complete: true, problems: [] });
  });

  it.each([
    [["--max-executions", "3"], "not broken in 3 executions, and there are more, about "],
    [["--preemptions", "0"], ", which is all that was asked for; traces with at most so many preemptions: "],
    [["--preemptions", "2", "--max-executions", "3"], "not broken in 3 executions, and there are more"],
    [
      ["--random", "5", "--seed", "9"],
      "not broken in 5 executions, which is all that was asked for; drawn at random, seed 9",
    ],
    [["--pct", "5", "--depth", "3"], "d = 3, "],
    [
      ["--random", "50", "--max-executions", "7"],
      "not broken in 7 executions, and 43 more were asked for; drawn",
    ],
  ])("says how far %j went", async (flags, said) => {
    const { code, stdout } = await runCommand(["explore", "lazy-nopage", "--law", "QU-02", ...flags]);
    expect(code).toBe(0);
    expect(stdout).toContain("open    QU-02, on lazy-nopage on pfn-run: not broken in ");
    expect(stdout).toContain(said);
  });

  it("says what is wrong with a plugin that does not do the same again under the same order", async () => {
    const fickle = `let faults = 0;\n${busyFlag.replace("yield* idle.waitUntil", "if (faults++ % 3 === 1) yield* busy.get();\n$&")}`;
    const folder = folderWith({ "fickle-flag.ts": fickle });
    const words = ["explore", "./fickle-flag.ts", "--law", "QU-02"];
    const { code, stdout, stderr } = await runCommand(words, folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^nopage: the orders of busy-flag cannot be searched, .*: QU-02, on busy-flag on pfn-run: /,
    );
  });

  it("takes every int32 for a seed, and no number that is too large", async () => {
    const words = ["explore", "lazy-nopage", "--law", "LC-20", "--pct", "1"];
    const { stdout } = await runCommand([...words, "--seed", "-2147483648"]);
    expect(stdout).toContain("seed -2147483648");
    const { code, stderr } = await runCommand([...words, "--seed", "2147483648", "--depth", "1000000000"]);
    expect(code).toBe(2);
    expect(stderr).toContain('a whole number from -2147483648 to 2147483647; nearest choice: "2147483647"');
    expect(stderr).toContain('--depth: found "1000000000"; expected a whole number from 1 to 1000');
  });

  it("saves a failure before there is a second task so that it can be replayed", async () => {
    const refusing = busyFlag.replace(/if \(backing.memory.kind[^\n]*/, "return -EINVAL;");
    expect(refusing).not.toBe(busyFlag);
    const folder = folderWith({ "refusing-flag.ts": refusing });
    const words = ["explore", "./refusing-flag.ts", "--law", "QU-02", "--save", "failure.json"];
    const explored = await runCommand(words, folder);
    expect(explored.stdout).toContain("after 0 steps with 0 preemptions");
    const flags = ["--perfetto", "trace.json"];
    const { code, stdout, stderr } = await runCommand(["replay", "failure.json", ...flags], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain("mmap fails with EINVAL, and must succeed");
    expect(stdout).toContain("It fails before there is a second task");
    expect(JSON.parse(readFileSync(join(folder, "trace.json"), "utf8"))).toHaveProperty("traceEvents");
  });

  it("tells all that is wrong with how it is called", async () => {
    const words = "explore lazy-nopag --law QU-2 --preemptions -1 --pct 3 --seed x --geometry x86";
    const { code, stderr } = await runCommand(words.split(" "));
    expect(code).toBe(2);
    expect(stderr).toContain("6 problems, and nothing was run");
    expect(stderr).toContain("lazy-nopage");
    expect(stderr).toContain("QU-02");
    expect(stderr).toContain("no --preemptions beside it");
  });
});

describe("nopage replay", () => {
  it("runs a saved failure again, step by step", async () => {
    const folder = await folderWithFailure();
    const { code, stdout, stderr } = await runCommand(["replay", "failure.json"], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain(
      "Broken again: QU-02, on busy-flag on pfn-run: a load from page 0 reads 0xface0000",
    );
    expect(stdout).toContain(">> read busy");
    const json = JSON.parse(
      (await runCommand(["replay", "failure.json", "--json"], folder)).stdout,
    ) as object;
    expect(json).toMatchObject({ law: "QU-02", isSame: true });
  });

  it("writes a trace in which the two steps that met are on tracks of their own", async () => {
    const folder = await folderWithFailure();
    const { code } = await runCommand(["replay", "failure.json", "--perfetto", "trace.json"], folder);
    expect(code).toBe(1);
    const { traceEvents } = JSON.parse(readFileSync(join(folder, "trace.json"), "utf8")) as {
      traceEvents: readonly { ph: string; name: string; tid: number }[];
    };
    const slices = traceEvents.filter(({ ph }) => ph === "X");
    const [reader, owner] = ["read busy", "write busy"].map((name) =>
      slices.find((one) => one.name === name),
    );
    expect(reader?.tid).not.toBe(owner?.tid);
    expect(traceEvents.map(({ name }) => name)).toContain("the gate closes");
  });

  it("warns where the plugin has changed, and goes on while the order fits", async () => {
    const folder = await folderWithChanged(`${busyFlag}// Changed.\n`);
    const { code, stdout, stderr } = await runCommand(["replay", "failure.json"], folder);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "nopage: ./busy-flag.ts has changed since this was saved\n",
    });
    expect(stdout).toContain("Broken again");
  });

  it("warns where what the plugin imports has changed", async () => {
    const more = "export const more = 1;\n";
    const withImport = `import "./more.ts";\n${busyFlag}`;
    const files = { "other-flag.ts": withImport, "more.ts": more };
    const before = folderWith(files);
    const words = ["explore", "./other-flag.ts", "--law", "QU-02", "--save", "failure.json"];
    await runCommand(words, before);
    const failure = readFileSync(join(before, "failure.json"), "utf8");
    const same = folderWith({ ...files, "failure.json": failure });
    expect((await runCommand(["replay", "failure.json"], same)).stderr).toBe("");
    const changed = folderWith({ ...files, "more.ts": `${more}// Changed.\n`, "failure.json": failure });
    const { code, stderr } = await runCommand(["replay", "failure.json"], changed);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "nopage: ./other-flag.ts has changed since this was saved\n",
    });
  });

  it("says that nothing has changed where a step differs all the same", async () => {
    const folder = await folderWithFailure();
    const path = join(folder, "failure.json");
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace(/"does":"read cell \d+"/, '"does":"read cell 999"'),
    );
    const { code, stderr } = await runCommand(["replay", "failure.json"], folder);
    expect(code).toBe(1);
    expect(stderr).toContain('recorded was "');
    expect(stderr).toContain("Plugin, core and laws are what they were");
  });

  it("stops where a step differs, and says what was recorded and what was found", async () => {
    const changed = busyFlag.replace("yield* busy.set(true);", "yield* idle.wakeAll();\n$&");
    expect(changed).not.toBe(busyFlag);
    const folder = await folderWithChanged(changed);
    const { code, stdout, stderr } = await runCommand(["replay", "failure.json"], folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /no longer fits: step \d+: recorded was "law\/0: write cell \d+"; found was "law\/0: wake wait queue \d+"/,
    );
  });

  it.each([
    [{ schedule: 7 }, "at run.schedule there is 7; expected a list"],
    [{ problems: [] }, "at run.problems there is a list of 0; expected 1 or more in it"],
    [
      { schedule: [{ task: -1, name: "", does: "" }] },
      "at run.schedule.0.task there is -1; expected a number from 0",
    ],
    [{ program: 1.5 }, "at run.program there is 1.5; expected a whole number"],
    [{ geometry: "x86" }, 'at run.geometry there is "x86"; expected one of "x86-64"'],
  ])("refuses a failure with %j in it", async (changes, why) => {
    const file = JSON.parse(await savedFailure()) as { readonly run: object };
    const folder = folderWith({
      "failure.json": JSON.stringify({ ...file, run: { ...file.run, ...changes } }),
    });
    const { code, stderr } = await runCommand(["replay", "failure.json"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it.each([
    ["no-such.json", "", "there is no file"],
    ["failure.json", "{", "it is no JSON: failure.json:1:2"],
    ["failure.json", "{}", "nopage has not written it: it does not say at its top what it is"],
    ["failure.json", "[]", "nopage has not written it"],
    [
      "failure.json",
      '{"nopage":"recording"}',
      "it is a recorded order, which nopage run --replay FILE repeats",
    ],
    [
      "failure.json",
      '{"nopage":"search"}',
      "it is a search that was left off, which nopage explore --resume",
    ],
    ["failure.json", '{"nopage":"gallery"}', 'it says that it is "gallery", which this nopage does not know'],
    [
      "failure.json",
      '{"nopage":"counterexample","version":2}',
      "of version 2, and this nopage knows version 1",
    ],
    [
      "failure.json",
      '{"nopage":"counterexample","version":1}',
      "at plugin there is nothing, where a value must",
    ],
  ])("refuses %s with %j", async (name, text, why) => {
    const folder = folderWith({ "failure.json": text });
    const { code, stderr } = await runCommand(["replay", name], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});
