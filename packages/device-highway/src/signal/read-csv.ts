import { parse } from "csv-parse/sync";
import { type ScaledColumn, scaleColumn } from "./channel-scale.ts";
import { type CsvColumn, isMeantAsNumbers, numberInCell, tableFromRows } from "./csv-columns.ts";
import { pcm16FromSamples } from "./pcm16.ts";
import type { Signal } from "./signal.ts";
import { SignalError, type SignalProblem } from "./signal-error.ts";
import type { SignalIdentity } from "./signal-identity.ts";

/**
 * Reads a CSV file of measurements: UTF-8, cells divided by commas, semicolons or tabs (the first row decides),
 * numbers with a decimal point. Each column of numbers becomes a channel, in the file's order, brought to 16
 * bits by the rule of {@link scaleColumn}; columns of text, such as dates, are named in `ignoredColumns`.
 *
 * A column of numbers with a gap or a NaN is an error, and so is a row with a cell too few or too many: what
 * the card acquires must be what was measured.
 *
 * @throws {SignalError} when the bytes are not such a file.
 */
export function readCsv(file: Uint8Array, identity: SignalIdentity): Signal {
  const complain = complaintsAbout(identity);
  const rows = parseRows(decodeText(file, complain), complain);
  const { columns, firstRow } = tableFromRows(rows);
  const moments = columns[0]?.cells.length ?? 0;
  if (moments === 0) throw complain("empty", "no row of measurements", "at least one");
  const numeric = columns.filter(isMeantAsNumbers);
  if (numeric.length === 0) {
    const value = `columns of text only (${columns.map(({ name }) => JSON.stringify(name)).join(", ")})`;
    throw complain("no-numeric-column", value, "at least one column of decimal numbers");
  }
  const scaled = numeric.map((column) => {
    const scaledColumn = scaleColumn(column.name, numbersOf(column, firstRow, complain));
    if (Number.isFinite(scaledColumn.scale.maxError)) return scaledColumn;
    const value = `a column ${JSON.stringify(column.name)} too wide or too narrow for floating point`;
    throw complain("out-of-range", value, "numbers whose spread is between 1e-300 and 1e308");
  });
  return {
    name: identity.name,
    source: identity.source,
    sampleRateHz: undefined,
    channels: scaled.length,
    ...pcm16FromSamples(interleave(scaled, moments)),
    scales: scaled.map(({ scale }) => scale),
    ignoredColumns: columns.filter((column) => !numeric.includes(column)).map(({ name }) => name),
  };
}

type Complain = (problem: SignalProblem, value: string, expected: string, cause?: unknown) => SignalError;

function complaintsAbout({ subject }: SignalIdentity): Complain {
  const nearest = 'the built-in signal "co2", whose file shows the form: a header row and columns of numbers';
  return (problem, value, expected, cause) =>
    new SignalError({ problem, subject, value, expected, nearest, cause });
}

function decodeText(file: Uint8Array, complain: Complain): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(file);
  } catch (cause) {
    throw complain("malformed-csv", "bytes that are not UTF-8", "text in UTF-8", cause);
  }
}

/** Rows of equal length. Blank lines at the end are dropped; one in the middle is a row that lacks cells. */
function parseRows(text: string, complain: Complain): readonly (readonly string[])[] {
  const trimmed = text.replace(/[\r\n]+$/, "");
  let rows: string[][];
  try {
    rows = parse(trimmed, { delimiter: delimiterOf(trimmed), relax_column_count: true });
  } catch (cause) {
    const value = cause instanceof Error ? cause.message : String(cause);
    throw complain("malformed-csv", value, "quotes that open and close around a whole cell", cause);
  }
  const width = rows[0]?.length ?? 0;
  const ragged = rows.findIndex((row) => row.length !== width);
  if (ragged !== -1) {
    const value = `${rows[ragged]?.length} cells in row ${ragged + 1}`;
    throw complain("ragged-row", value, `${width}, as in row 1`);
  }
  return rows;
}

function delimiterOf(text: string): string {
  const [firstLine = ""] = text.split(/[\r\n]/, 1);
  return ["\t", ";"].find((delimiter) => firstLine.includes(delimiter)) ?? ",";
}

function numbersOf(column: CsvColumn, firstRow: number, complain: Complain): readonly number[] {
  return column.cells.map((cell, index) => {
    const value = numberInCell(cell);
    if (value !== undefined) return value;
    const place = `row ${firstRow + index}, column ${JSON.stringify(column.name)}`;
    const found = cell.trim() === "" ? "an empty cell" : JSON.stringify(cell);
    throw complain("not-a-number", `${found} in ${place}`, "a finite decimal number in each row");
  });
}

function interleave(columns: readonly ScaledColumn[], moments: number): Int16Array {
  const samples = new Int16Array(columns.length * moments);
  columns.forEach((column, channel) => {
    column.samples.forEach((sample, moment) => {
      samples[moment * columns.length + channel] = sample;
    });
  });
  return samples;
}
