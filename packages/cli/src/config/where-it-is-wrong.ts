import { basename } from "node:path";
import { firstLine } from "../report/first-line.ts";

/** Why a file cannot be read, with its name, line and column in front (from 1) where the reader says them. */
export function whereItIsWrong(failure: unknown, file: string, text: string): string {
  const [name, reason] = [basename(file), firstLine(failure)];
  const place = placeIn(failure, text);
  if (place === undefined) return parseError(failure) ?? reason;
  return `${name}:${place.line}:${place.column}: ${withoutPlace(reason, file)}`;
}

/** What jiti says of a module, its own or one that it imports: the reason, then file, line, and column from 0. */
export function parseError(failure: unknown): string | undefined {
  const message = failure instanceof Error ? failure.message : "";
  const found = /^ParseError: (.*?)\s*\n\s*(.+):(\d+):(\d+)\s*$/s.exec(message);
  if (found === null) return undefined;
  const [, reason, file = "", line, column] = found;
  return `${basename(file)}:${line}:${Number(column) + 1}: ${reason}`;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function placeIn(failure: unknown, text: string): Place | undefined {
  if (!(failure instanceof Error)) return undefined;
  if ("mark" in failure) {
    const { line, column } = failure.mark as Place;
    return { line: line + 1, column: column + 1 };
  }
  if ("line" in failure && "column" in failure) {
    return { line: Number(failure.line), column: Number(failure.column) };
  }
  const { message } = failure;
  const told = / at (\d+):(\d+)/.exec(message) ?? /line (\d+) column (\d+)/.exec(message);
  if (told !== null) return { line: Number(told[1]), column: Number(told[2]) };
  return message.includes("JSON") ? placeAt(offsetOfMistake(text, message), text) : undefined;
}

/** Where JSON ends to be JSON. The engine tells the offset of some mistakes only. */
function offsetOfMistake(text: string, message: string): number {
  const told = /at position (\d+)/.exec(message);
  if (told !== null) return Number(told[1]);
  if (!message.includes("Unexpected token")) return text.length;
  // What is cut off before the token is at most incomplete, which is another complaint.
  let [fits, tooLong] = [0, text.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) tooLong = middle;
    else fits = middle;
  }
  return fits;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (failure) {
    return firstLine(failure).startsWith("Unexpected token");
  }
}

function placeAt(offset: number, text: string): Place {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function withoutPlace(reason: string, file: string): string {
  return reason
    .replace(`${file}: `, "")
    .replace(/^JSON5: /, "")
    .replace(/^(Unexpected token '.+?'), .*$/, "$1")
    .replace(/ in JSON at position.*$/, "")
    .replace(/ at \d+:\d+$/, "")
    .replace(/ \(\d+:\d+\)$/, "");
}
