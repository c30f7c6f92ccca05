import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

/** What the command complains about, which it must do on the error side, with exit code 2 and without a stack. */
async function complaint(words: readonly string[], folder?: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(["run", ...words], folder);
  expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: "" });
  expect(stderr).toMatch(/^nopage: \d+ problems?, and nothing was run\n/);
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
}

/** A WAV file of PCM samples at 8 kHz. */
function wav({ bits = 16, channels = 1, bytes }: { bits?: number; channels?: number; bytes: number }) {
  const file = Buffer.alloc(44 + bytes, 1);
  const frame = (channels * bits) / 8;
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + bytes, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  for (const [at, value] of [
    [20, 1],
    [22, channels],
    [32, frame],
    [34, bits],
  ] as const) {
    file.writeUInt16LE(value, at);
  }
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(8000 * frame, 28);
  file.write("data", 36);
  file.writeUInt32LE(bytes, 40);
  return file;
}

const files = {
  "empty.wav": "",
  "one.wav": "R",
  "odd.wav": wav({ bytes: 1001 }),
  "8-bit.wav": wav({ bits: 8, bytes: 1000 }),
  "24-bit.wav": wav({ bits: 24, bytes: 999 }),
  "none.wav": wav({ bytes: 0 }),
  "text.csv": "a,b\nx,y\n",
  "nan.csv": "a\n1\nNaN\n",
  "mixed.csv": "a\n1\nfoo\n",
  "blank.csv": "a,b\n1,2\n,3\n",
  "blanks.csv": "\n\n\n",
  "ragged.csv": "1,2\n3\n",
  "notes.txt": "hello",
};

describe("a signal that is none", () => {
  test.each([
    ["zzz.wav", /there is no such file\n$/],
    ["odds.wav", /there is no such file; nearest choice: ".*odd.wav"\n$/],
    ["empty.wav", /a signal, but in the file is a file of 0 bytes instead of .*; nearest choice: "guitar"\n/],
    [
      "one.wav",
      /in the file is a file of 1 bytes that starts with "R" instead of a WAV file: .*; nearest choice: the/,
    ],
    ["odd.wav", /in the file is 1001 bytes of samples instead of a multiple of 2/],
    [
      "8-bit.wav",
      /in the file is 8-bit PCM instead of 16-bit PCM; nearest choice: the recording converted, .*sox/,
    ],
    ["24-bit.wav", /in the file is 24-bit PCM instead of 16-bit PCM/],
    ["none.wav", /in the file is no sample instead of at least one/],
    ["text.csv", /columns of text only \("a", "b"\) instead of at least one column of decimal numbers/],
    ["nan.csv", /"NaN" in row 3, column "a" instead of a finite decimal number/],
    ["mixed.csv", /"foo" in row 3, column "a" instead of/],
    ["blank.csv", /an empty cell in row 3, column "a" instead of/],
    ["blanks.csv", /no row of measurements instead of at least one/],
    ["ragged.csv", /1 cells in row 2 instead of 2, as in row 1/],
    ["notes.txt", /extension ".txt" instead of a WAV file/],
    [".", /there is a folder\n$/],
  ])("%s", async (name, why) => {
    const folder = folderWith(files);
    const path = `${folder}/${name}`;
    const told = await complaint(["--signal", path]);
    expect(told).toContain(`--signal: found ${JSON.stringify(path).slice(0, 40)}`);
    expect(told).toMatch(why);
  });

  test("that a file names is quoted as it stands there, and so is the nearest choice", async () => {
    const folder = folderWith({
      "deep/odd.wav": files["odd.wav"],
      "deep/nopage.config.json": '{ "signal": "odds.wav" }',
      "deep/absolute.json": "{}",
    });
    const told = await complaint(["--config", `${folder}/deep/nopage.config.json`]);
    expect(told).toMatch(
      /^ {2}signal in nopage.config.json: found "odds.wav"; .*; nearest choice: "odd.wav"$/m,
    );
    const missing = `${folder}/deep/odds.wav`;
    writeFileSync(`${folder}/deep/absolute.json`, JSON.stringify({ signal: missing }));
    const absolute = await complaint(["--config", `${folder}/deep/absolute.json`]);
    expect(absolute).toContain(`signal in absolute.json: found "${missing}"; `);
    expect(absolute).toContain(`nearest choice: "${folder}/deep/odd.wav"`);
  });

  test("two channels are a signal, by flag and by the absolute path in a file", async () => {
    const folder = folderWith({ "stereo.wav": wav({ channels: 2, bytes: 400 }) });
    const { code, stdout } = await runCommand(["run", "--signal", `${folder}/stereo.wav`]);
    expect(code).toBe(0);
    expect(stdout).toContain("400 bytes, 2 channels of 16 bits");
    writeFileSync(`${folder}/own.json`, JSON.stringify({ signal: `${folder}/stereo.wav` }));
    expect(await runCommand(["run", "--config", `${folder}/own.json`])).toMatchObject({ code, stdout });
  });
});

describe("a flag with a value that is none", () => {
  const time = 'expected "random", or a time in virtual nanoseconds from the start of the acquisition';
  const seed = "expected a whole number from -2147483648 to 2147483647";

  test.each([
    [["--seed", "x"], `--seed: found "x"; ${seed}\n`],
    [["--seed", ""], `--seed: found ""; ${seed}\n`],
    [["--seed", "1.5"], `--seed: found "1.5"; ${seed}\n`],
    [["--kill-at", "-1"], `--kill-at: found "-1"; ${time}\n`],
    [["--kill-at", ""], `--kill-at: found ""; ${time}\n`],
    [["--unplug-at", "1e3"], `--unplug-at: found "1e3"; ${time}\n`],
    [
      ["--geometry", "nonsense"],
      'found "nonsense"; expected one of "x86-64", "i386", "alpha", "arm64-64k"\n',
    ],
    [["--strategy", ""], '--strategy: found ""; expected a name that is not empty\n'],
    [["--strategy", "bogus"], '"pfn-nopage"; or the package or path of a module that exports one\n'],
    [
      ["--all", "--strategy", "bogus"],
      "with --all, --strategy keeps to that one, with every pinning policy\n",
    ],
    [["--all", "--pinning", "bogus"], "with --all, --pinning keeps to that one, with every strategy\n"],
    [["--signal", ""], '--signal: found ""; expected a name that is not empty\n'],
  ])("%j", async (words, why) => {
    expect(await complaint(words)).toContain(why);
  });

  test("the help says what the two flags mean with --all and without", async () => {
    const { stdout } = await runCommand(["run", "--help"]);
    const text = stdout.replaceAll(/\s+/g, " ");
    expect(text).toContain("--all many runs: every strategy with every pinning policy");
    expect(text).toContain("with --all: this one only, with every policy");
    expect(text).toContain("with --all: this one only, with every strategy");
  });
});

describe("a configuration that is wrong in many places", () => {
  const wrong = {
    strateg: "x",
    geometry: "alpha",
    machine: { cpus: { a: 1 }, geometry: ["x"] },
    device: { name: "highway", backing: "vmalloc" },
    plugins: ["./nope.ts", "./syntax.ts", "./nothing.ts", "./one.ts", "./two.ts"],
  };
  const strategy = (name: string) => `
    import { defineStrategy } from "@nopage/core/contract";
    export const own = defineStrategy({
      name: "${name}", create: () => { throw new Error("never made"); },
      supports: { populate: "lazy", backing: ["linear"], whileRevoked: "wait", mremapGrow: false,
        holes: false, largeLeaves: false, countsPages: [], privateWritable: [] },
    });`;

  test.each(["ts", "js", "json", "yaml"])("%s: all of it is told at once", async (format) => {
    const text = JSON.stringify(wrong);
    const folder = folderWith({
      [`nopage.config.${format}`]: format === "ts" || format === "js" ? `export default ${text};` : text,
      "syntax.ts": "export const a =;",
      "nothing.ts": "export default undefined;",
      "one.ts": strategy("own"),
      "two.ts": strategy("own"),
    });
    const told = (await complaint([], folder))
      .replaceAll(folder, "FOLDER")
      .replaceAll(` in nopage.config.${format}`, "");
    for (const line of [
      'strateg: found "x"; expected another key: one of "strategy", "pinning", "device", "machine", "chooser", "signal", "plugins"; nearest choice: "strategy"',
      'geometry: found "alpha"; expected another key: one of "strategy", "pinning", "device", "machine", "chooser", "signal", "plugins"; geometry belongs under machine; nearest choice: "machine.geometry"',
      'machine.cpus: found {"a":1}; expected a whole number from 1 to 31',
      'machine.geometry: found ["x"]; expected one of "x86-64", "i386", "alpha", "arm64-64k"',
      'nearest choice: "device.options.backing"',
      'plugins[0]: found "./nope.ts"; expected a module with plugins that can be registered, but it cannot be loaded from',
      "syntax.ts:1:17: Unexpected token",
      'plugins[2]: found "./nothing.ts"; expected a module with plugins that can be registered, but the module is rejected: it exports nothing at all',
      'plugins[4]: found "./two.ts"; expected a module with plugins that can be registered, but strategy "own" is rejected: a strategy of that name is already registered from ./one.ts; give this one a name of its own (taken are eager-remap by @nopage/eager-remap,',
    ]) {
      expect(told).toContain(line);
    }
    expect(told).toMatch(/^nopage: 9 problems/);
  });
});
