import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCsv, restoreValue, type Signal } from "../../src/signal/index.ts";
import { ascii } from "./encode-wav.ts";
import { signalErrorOf } from "./signal-error-of.ts";

const identity = { name: "test.csv", source: "folder/test.csv", subject: "folder/test.csv" };
const read = (text: string) => readCsv(new TextEncoder().encode(text), identity);

/** The numbers of one channel in the unit of the file. */
function channelValues(signal: Signal, channel: number): number[] {
  const samples = [...signal.samples].filter((_, index) => index % signal.channels === channel);
  return samples.map((sample) => restoreValue(signal.scales[channel]!, sample));
}

describe("readCsv", () => {
  it("gives back every number of a table of decimals", () => {
    const table = fc.integer({ min: 1, max: 5 }).chain((width) => {
      const cell = fc.integer({ min: -30_000, max: 30_000 }).map((steps) => steps / 100);
      return fc.array(fc.array(cell, { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 30,
      });
    });
    const delimiters = fc.constantFrom(",", ";", "\t");
    const lineEnds = fc.constantFrom("\n", "\r\n");
    fc.assert(
      fc.property(table, delimiters, lineEnds, fc.boolean(), (rows, delimiter, lineEnd, withHeader) => {
        const header = withHeader ? [rows[0]!.map((_, index) => `c${index}`)] : [];
        const signal = read([...header, ...rows].map((row) => row.join(delimiter)).join(lineEnd) + lineEnd);
        expect(signal.channels).toBe(rows[0]!.length);
        rows[0]!.forEach((_, channel) => {
          expect(channelValues(signal, channel)).toEqual(rows.map((row) => row[channel]! + 0));
        });
        expect(signal.scales.every(({ maxError }) => maxError === 0)).toBe(true);
      }),
    );
  });

  it("interleaves the columns and writes them as little-endian bytes", () => {
    const signal = read("left,right\n1,-2\n258,32767\n");
    expect([...signal.samples]).toEqual([1, -2, 258, 32_767]);
    expect([...signal.bytes]).toEqual([1, 0, 254, 255, 2, 1, 255, 127]);
    expect(signal.scales.map(({ name }) => name)).toEqual(["left", "right"]);
  });

  it("does not say a sample rate, because the file does not", () => {
    expect(read("1\n2\n").sampleRateHz).toBeUndefined();
  });

  it("names the columns of text that it left out", () => {
    const signal = read("Date,ppm,station\n1958-03-01,315.70,MLO\n1958-04-01,317.46,MLO\n");
    expect(signal.ignoredColumns).toEqual(["Date", "station"]);
    expect(channelValues(signal, 0)).toEqual([315.7, 317.46]);
  });

  it("names columns by position where there is no header, or a blank heading", () => {
    expect(read("1,2\n3,4").scales.map(({ name }) => name)).toEqual(["column 1", "column 2"]);
    expect(read("volt,\n3,4").scales.map(({ name }) => name)).toEqual(["volt", "column 2"]);
  });

  it("reads quotes, blanks around numbers, exponents and a byte order mark", () => {
    const signal = read('\uFEFF"a, b",c\n"1.5", 2e1 \n-.5,+3.\n');
    expect(signal.scales.map(({ name }) => name)).toEqual(["a, b", "c"]);
    expect(channelValues(signal, 0)).toEqual([1.5, -0.5]);
    expect(channelValues(signal, 1)).toEqual([20, 3]);
  });

  it("says by how much 16 bits miss a column that is finer than they are", () => {
    const [scale] = read("volt\n0\n0.123456789\n1\n").scales;
    expect(scale!.maxError).toBeGreaterThan(0);
    expect(scale!.maxError).toBeLessThan(1 / 65_535);
  });
});

describe("readCsv refuses, and says what it found where", () => {
  const cases: readonly [title: string, text: string, problem: string, value: RegExp][] = [
    ["nothing", "", "empty", /no row/],
    ["blank lines only", "\n\r\n\n", "empty", /no row/],
    ["a header only", "time,volt\n", "empty", /no row/],
    ["text only", "name,town\nAda,London\n", "no-numeric-column", /"name", "town"/],
    ["a short row", "a,b\n1,2\n3\n", "ragged-row", /1 cells in row 3/],
    ["a long row", "a,b\n1,2,3\n", "ragged-row", /3 cells in row 2/],
    ["a blank line inside", "a,b\n1,2\n\n3,4\n", "ragged-row", /1 cells in row 3/],
    ["a blank line inside one column", "a\n1\n\n2\n", "not-a-number", /empty cell in row 3, column "a"/],
    ["NaN", "a,b\n1,2\n3,NaN\n", "not-a-number", /"NaN" in row 3, column "b"/],
    ["NaN at once", "a\nNaN\n1\n", "not-a-number", /"NaN" in row 2/],
    ["infinity", "a\n1\n-inf\n", "not-a-number", /"-inf" in row 3/],
    ["a number beyond floating point", "a\n1\n1e999\n", "not-a-number", /"1e999" in row 3/],
    ["a typing error", "1,2\n1,3l4\n", "not-a-number", /"3l4" in row 2, column "column 2"/],
    ["a gap at once", "a,b\n1,\n2,5\n", "not-a-number", /empty cell in row 2, column "b"/],
    ["a spread beyond floating point", "a\n-1e308\n1e308\n", "out-of-range", /column "a"/],
    ["an open quote", 'a\n"1\n', "malformed-csv", /[Qq]uote/],
  ];

  it.each(cases)("%s", async (_title, text, problem, value) => {
    const error = await signalErrorOf(() => read(text));
    expect(error.problem).toBe(problem);
    expect(error.value).toMatch(value);
    expect(error.expected).not.toBe("");
    expect(error.nearest).toContain("co2");
    expect(error.message).toContain('"folder/test.csv"');
  });

  it("bytes that are no UTF-8", async () => {
    const file = Uint8Array.from([...ascii("a\n1"), 0xff, 0xfe]);
    expect((await signalErrorOf(() => readCsv(file, identity))).problem).toBe("malformed-csv");
  });
});
