import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSignal } from "../../src/signal/index.ts";
import { ascii, encodeWav } from "./encode-wav.ts";
import { signalErrorOf } from "./signal-error-of.ts";

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nopage-signal-"));
  await writeFile(at("voice.wav"), encodeWav({ samples: [1, 2, 3] }));
  await writeFile(at("LOUD.WAV"), encodeWav({ samples: [4] }));
  await writeFile(at("voice.bin"), encodeWav({ samples: [5] }));
  await writeFile(at("wrongly-named.csv"), encodeWav({ samples: [6] }));
  await writeFile(at("heart.csv"), "volt\n0.5\n0.75\n");
  await writeFile(at("heart.tsv"), "left\tright\n1\t2\n");
  await writeFile(at("headings.csv"), "FORMULA,ID3,caffeine\n1,2,3\n");
  await writeFile(at("text.wav"), "volt\n0.5\n");
  await writeFile(at("notes.txt"), "volt\n0.5\n");
  await writeFile(at("song.flac"), ascii("fLaC\0\0\0\x22"));
  await writeFile(at("empty.csv"), "");
});

afterAll(() => rm(folder, { recursive: true }));

describe("loadSignal", () => {
  it("reads a WAV file and is named after it", async () => {
    const signal = await loadSignal(at("voice.wav"));
    expect([...signal.samples]).toEqual([1, 2, 3]);
    expect(signal).toMatchObject({ name: "voice.wav", source: at("voice.wav") });
  });

  it("reads CSV and TSV files", async () => {
    expect((await loadSignal(at("heart.csv"))).channels).toBe(1);
    expect((await loadSignal(at("heart.tsv"))).channels).toBe(2);
  });

  it.each([
    ["LOUD.WAV", 4],
    ["voice.bin", 5],
    ["wrongly-named.csv", 6],
  ])("knows a WAV file by its first bytes: %s", async (name, sample) => {
    expect([...(await loadSignal(at(name))).samples]).toEqual([sample]);
  });

  it("does not take the headings of a CSV file for another recording", async () => {
    expect((await loadSignal(at("headings.csv"))).channels).toBe(3);
  });

  it("gives equal signals each time", async () => {
    expect(await loadSignal("co2")).toEqual(await loadSignal("co2"));
  });
});

describe("loadSignal refuses, and names the nearest choice", () => {
  const cases: readonly [name: string, problem: string, value: RegExp][] = [
    ["text.wav", "not-riff", /starts with "volt"/],
    ["song.flac", "not-riff", /a FLAC file/],
    ["notes.txt", "unknown-format", /extension ".txt"/],
    ["empty.csv", "empty", /0 bytes/],
    [".", "unreadable-file", /a folder/],
    ["heart.csv/volt", "missing-file", /no such file/],
  ];

  it.each(cases)("%s", async (name, problem, value) => {
    const error = await signalErrorOf(() => loadSignal(at(name)));
    expect(error.problem).toBe(problem);
    expect(error.value).toMatch(value);
    expect(error.nearest).not.toBe("");
  });

  it("a built-in name typed wrongly", async () => {
    const error = await signalErrorOf(() => loadSignal("guitarr"));
    expect(error).toMatchObject({ problem: "missing-file", subject: "guitarr", nearest: "guitar" });
    expect(error.expected).toContain("guitar, co2");
  });

  it("a file's name typed wrongly", async () => {
    const error = await signalErrorOf(() => loadSignal(at("hart.csv")));
    expect(error).toMatchObject({ problem: "missing-file", nearest: at("heart.csv") });
  });

  it("a path into a folder that does not exist", async () => {
    const error = await signalErrorOf(() => loadSignal(at("nowhere/voice.wav")));
    expect(error.problem).toBe("missing-file");
  });
});
