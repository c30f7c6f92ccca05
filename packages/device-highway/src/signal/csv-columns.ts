/** One column of a CSV file, still as text. */
export interface CsvColumn {
  /** From the header row, or "column 1", "column 2", … where the file has none. */
  readonly name: string;
  /** The cells below the header, in order. */
  readonly cells: readonly string[];
}

/** The columns of a file, and the row (1 is the file's first) that their first cells come from. */
export interface CsvTable {
  readonly columns: readonly CsvColumn[];
  readonly firstRow: number;
}

const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** The spellings by which programs say that a measurement is missing or has no value. */
const missingNumber = /^(?:[+-]?(?:nan|inf|infinity)|na|n\/a|null)$/i;

/** The finite number that a cell holds; `undefined` for every other cell. */
export function numberInCell(cell: string): number | undefined {
  const text = cell.trim();
  if (!decimalNumber.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Turns rows of equal length into columns. The first row is a header exactly when no cell of it is a number;
 * a column whose header is blank is named by its position.
 */
export function tableFromRows(rows: readonly (readonly string[])[]): CsvTable {
  const [first = []] = rows;
  const hasHeader = first.every((cell) => numberInCell(cell) === undefined);
  const body = hasHeader ? rows.slice(1) : rows;
  const columns = first.map((heading, index) => {
    const name = (hasHeader ? heading.trim() : "") || `column ${index + 1}`;
    return { name, cells: body.map((row) => row[index] ?? "") };
  });
  return { columns, firstRow: hasHeader ? 2 : 1 };
}

/**
 * Says whether a column is meant to hold numbers: its first cell that is not blank decides. A spelling of "no
 * number", such as NaN, counts as a number here, so that it is reported and does not hide the whole column.
 */
export function isMeantAsNumbers(column: CsvColumn): boolean {
  const first = column.cells.find((cell) => cell.trim() !== "");
  if (first === undefined) return false;
  return decimalNumber.test(first.trim()) || missingNumber.test(first.trim());
}
