import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWav, restoreValue } from "../../src/signal/index.ts";
import { ascii, chunk, dataChunk, encodeWav, formatChunk, riff } from "./encode-wav.ts";
import { signalErrorOf } from "./signal-error-of.ts";

const identity = { name: "test.wav", source: "folder/test.wav", subject: "folder/test.wav" };
const read = (file: Uint8Array) => readWav(file, identity);

const recording = fc.integer({ min: 1, max: 6 }).chain((channels) =>
  fc.record({
    channels: fc.constant(channels),
    sampleRateHz: fc.integer({ min: 1, max: 192_000 }),
    samples: fc
      .array(
        fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: channels, maxLength: channels }),
        {
          minLength: 1,
          maxLength: 40,
        },
      )
      .map((moments) => moments.flat()),
  }),
);

const otherChunks = fc.array(
  fc.tuple(fc.constantFrom("LIST", "fact", "bext"), fc.uint8Array({ maxLength: 9 })).map(([id, content]) => {
    return chunk(id, content);
  }),
  { maxLength: 3 },
);

describe("readWav", () => {
  it("returns the samples that were encoded, among any other chunks", () => {
    fc.assert(
      fc.property(recording, otherChunks, otherChunks, (parts, before, behind) => {
        const signal = read(encodeWav({ ...parts, before, behind }));
        expect([...signal.samples]).toEqual(parts.samples);
        expect(signal.channels).toBe(parts.channels);
        expect(signal.sampleRateHz).toBe(parts.sampleRateHz);
        expect(signal.bytes).toEqual(dataChunk(parts.samples).subarray(8));
        expect(signal.scales).toHaveLength(parts.channels);
      }),
    );
  });

  it("never makes another signal of a file cut short: it is refused, or whole", () => {
    fc.assert(
      fc.asyncProperty(recording, otherChunks, fc.nat(), async (parts, behind, at) => {
        const file = encodeWav({ ...parts, behind });
        const cut = file.subarray(0, at % file.length);
        const dataEnd = encodeWav(parts).length;
        if (cut.length >= dataEnd) expect([...read(cut).samples]).toEqual(parts.samples);
        else expect(["truncated", "not-riff"]).toContain((await signalErrorOf(() => read(cut))).problem);
      }),
    );
  });

  it("reads from the middle of a larger buffer, at an odd address too", () => {
    const file = encodeWav({ samples: [1, -2, 3] });
    const larger = new Uint8Array(file.length + 9);
    larger.set(file, 3);
    expect([...read(larger.subarray(3, 3 + file.length)).samples]).toEqual([1, -2, 3]);
  });

  it("has a copy of its own: writing to the file's buffer later does not change the signal", () => {
    const file = encodeWav({ samples: [7, 8] });
    const signal = read(file);
    file.fill(0);
    expect([...signal.samples]).toEqual([7, 8]);
  });

  it("restores each sample as itself, because a WAV file has no other unit", () => {
    const signal = read(encodeWav({ samples: [-32_768, 32_767], channels: 2 }));
    expect(signal.scales.map(({ name }) => name)).toEqual(["channel 1", "channel 2"]);
    expect(restoreValue(signal.scales[0]!, -32_768)).toBe(-32_768);
    expect(restoreValue(signal.scales[1]!, 32_767)).toBe(32_767);
    expect(signal.scales.every(({ maxError }) => maxError === 0)).toBe(true);
  });

  it("accepts PCM in the extensible form, as recorders with many channels write it", () => {
    const signal = read(riff([formatChunk({ channels: 2 }, 1), dataChunk([5, 6])]));
    expect(signal).toMatchObject({ channels: 2, sampleRateHz: 8000 });
  });

  it("takes nothing from behind the end that the file states", () => {
    const file = encodeWav({ samples: [1] });
    const withTail = Uint8Array.from([...file, ...dataChunk([2])]);
    expect([...read(withTail).samples]).toEqual([1]);
  });
});

describe("readWav refuses, and says what it found", () => {
  const cases: readonly [title: string, file: Uint8Array, problem: string, value: RegExp][] = [
    ["text", ascii("time,volt\n0,1\n"), "not-riff", /14 bytes that starts with "time"/],
    ["a FLAC file", ascii("fLaC\0\0\0\x22"), "not-riff", /a FLAC file/],
    ["big-endian WAV", ascii("RIFX\0\0\0\0WAVE"), "not-riff", /a RIFX file/],
    ["another RIFF form", ascii("RIFF\0\0\0\0AVI "), "not-riff", /form "AVI "/],
    ["24-bit PCM", encodeWav({ samples: [1, 2, 3], bitsPerSample: 24 }), "not-pcm16", /24-bit PCM/],
    ["8-bit PCM", encodeWav({ samples: [1], bitsPerSample: 8 }), "not-pcm16", /8-bit PCM/],
    [
      "float",
      encodeWav({ samples: [1, 2], bitsPerSample: 32, formatCode: 3 }),
      "not-pcm16",
      /32-bit floating/,
    ],
    ["A-law", encodeWav({ samples: [1], bitsPerSample: 8, formatCode: 6 }), "not-pcm16", /8-bit A-law/],
    ["an unknown code", encodeWav({ samples: [1], formatCode: 0x161 }), "not-pcm16", /format code 353/],
    ["extensible float", riff([formatChunk({}, 3), dataChunk([1])]), "not-pcm16", /16-bit floating point/],
    ["no samples", encodeWav({ samples: [] }), "empty", /no sample/],
    ["no data chunk", riff([formatChunk({})]), "truncated", /no "data" chunk \(chunks: "fmt "\)/],
    ["no chunk at all", riff([]), "truncated", /no "fmt " chunk \(chunks: none\)/],
    ["two data chunks", encodeWav({ samples: [1], behind: [dataChunk([2])] }), "malformed-wav", /2 "data"/],
    ["a short format", riff([chunk("fmt ", ascii("12345678")), dataChunk([1])]), "malformed-wav", /8 bytes/],
    ["no channel", encodeWav({ samples: [1], channels: 0 }), "malformed-wav", /0 channels/],
    ["no rate", encodeWav({ samples: [1], sampleRateHz: 0 }), "malformed-wav", /0 Hz/],
    ["half a moment", encodeWav({ samples: [1, 2, 3], channels: 2 }), "malformed-wav", /6 bytes of samples/],
  ];

  it.each(cases)("%s", async (_title, file, problem, value) => {
    const error = await signalErrorOf(() => read(file));
    expect(error.problem).toBe(problem);
    expect(error.value).toMatch(value);
    expect(error.expected).not.toBe("");
    expect(error.nearest).not.toBe("");
    expect(error.message).toContain('"folder/test.wav"');
  });

  it("a file cut in its samples, with both counts", async () => {
    const file = encodeWav({ samples: [1, 2, 3, 4] });
    const error = await signalErrorOf(() => read(file.subarray(0, file.length - 3)));
    expect(error).toMatchObject({ problem: "truncated", expected: "all of them" });
    expect(error.value).toContain("5 of the 8 bytes");
  });
});
