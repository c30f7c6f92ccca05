import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { describe, expect, it } from "vitest";
import { builtInSignals, defaultSignalName, loadSignal, restoreValue } from "../../src/signal/index.ts";

const readme = await readFile(new URL("../../data/README.md", import.meta.url), "utf8");

describe("built-in signals", () => {
  it.each(builtInSignals)(
    "$name is the file that data/README.md documents",
    async ({ name, file, licence }) => {
      const sha256 = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect(row).toContain(sha256);
      expect(readme).toContain(licence.replace("-BY-", " BY ").replace(/-(?=\d)/, " "));
    },
  );

  it("are at least one WAV and one CSV file", () => {
    const extensions = builtInSignals.map(({ file }) => extname(file.pathname));
    expect(new Set(extensions)).toEqual(new Set([".wav", ".csv"]));
  });

  it("are real recordings: they vary, and no value stays for long", async () => {
    for (const { name } of builtInSignals) {
      const { samples, channels } = await loadSignal(name);
      expect(new Set(samples).size).toBeGreaterThan(500);
      expect(longestPlateau(samples, channels)).toBeLessThan(20);
    }
  });

  it("the default is quick to acquire: between 50 and 200 KiB, in whole pages", async () => {
    const { bytes } = await loadSignal(defaultSignalName);
    expect(bytes.length).toBeGreaterThanOrEqual(50 * 1024);
    expect(bytes.length).toBeLessThanOrEqual(200 * 1024);
    expect(bytes.length % 4096).toBe(0);
  });

  it("guitar is 65,536 samples of mono at 44,100 Hz", async () => {
    const signal = await loadSignal("guitar");
    expect(signal).toMatchObject({ name: "guitar", channels: 1, sampleRateHz: 44_100 });
    expect(signal.samples).toHaveLength(65_536);
  });

  it("co2 gives back every figure of its file", async () => {
    const signal = await loadSignal("co2");
    const co2 = builtInSignals.find(({ name }) => name === "co2");
    const text = await readFile(co2!.file, "utf8");
    const figures = text
      .trim()
      .split("\n")
      .slice(1)
      .flatMap((line) => line.split(",").slice(1).map(Number));
    const restored = [...signal.samples].map((sample, index) =>
      restoreValue(signal.scales[index % signal.channels]!, sample),
    );
    expect(restored).toEqual(figures);
    expect(signal.ignoredColumns).toEqual(["Date"]);
    expect(signal.scales.map(({ name }) => name)).toEqual(["CO2", "adjusted CO2"]);
  });
});

/** The longest run of equal neighbours on the first channel. */
function longestPlateau(samples: Int16Array, channels: number): number {
  let longest = 0;
  let run = 0;
  for (let index = channels; index < samples.length; index += channels) {
    run = samples[index] === samples[index - channels] ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
