import Table from "cli-table3";
import pc from "picocolors";

/** One thing among those that are compared: its name, and what there is to say of it in each row. */
export interface Column {
  readonly title: string;
  readonly cells: readonly string[];
}

/** What stands before each line of a table, and the spaces between its columns. */
export const INDENT = "  ";
export const GAP = 2;
/** For files and pipes, which have no width of their own. */
const DEFAULT_WIDTH = 120;

/**
 * Things side by side, one a column, what is said of them in the rows. What does not fit the width goes into further
 * tables below.
 */
export function sideBySide(
  labels: readonly string[],
  columns: readonly Column[],
  width: number = DEFAULT_WIDTH,
): string {
  const labelWidth = widest(labels) + GAP;
  const room = Math.max(1, width - labelWidth - INDENT.length);
  const tables: string[] = [];
  for (let rest = columns; rest.length > 0; ) {
    const fitting = Math.max(1, countFitting(rest, room));
    tables.push(oneTable(labels, rest.slice(0, fitting)));
    rest = rest.slice(fitting);
  }
  return tables.join("\n");
}

function oneTable(labels: readonly string[], columns: readonly Column[]): string {
  const table = new Table({
    chars: bare,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  table.push(["", ...columns.map(({ title }) => pc.bold(title))]);
  for (const [row, label] of labels.entries()) {
    table.push([pc.dim(label), ...columns.map(({ cells }) => cells[row] ?? "")]);
  }
  const lines = table.toString().split("\n");
  return `${lines.map((line) => (INDENT + line).trimEnd()).join("\n")}\n`;
}

function countFitting(columns: readonly Column[], room: number): number {
  let used = 0;
  for (const [index, { title, cells }] of columns.entries()) {
    used += widest([title, ...cells]) + GAP;
    if (used > room + GAP) return index;
  }
  return columns.length;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => visible(text).length));
}

/** Without the colours. */
function visible(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g"), "");
}

const edges = ["top", "bottom", "left", "right", "mid"] as const;
const joints = ["top-mid", "top-left", "top-right", "bottom-mid", "bottom-left", "bottom-right"] as const;
const crossings = ["left-mid", "mid-mid", "right-mid", "middle"] as const;

/** No lines at all: the columns are enough. */
export const bare = Object.fromEntries([...edges, ...joints, ...crossings].map((place) => [place, ""]));
