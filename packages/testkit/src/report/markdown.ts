import type { ConformanceDocument } from "./document.ts";
import { type Cell, matrixOf } from "./matrix.ts";

const signs: Readonly<Record<Cell["status"], string>> = {
  pass: "✓",
  fail: "**✗**",
  skip: "–",
  untested: "?",
};

/**
 * The document as a Markdown table, a line for each law and a column for each plugin, with a list below of what is broken
 * and how.
 */
export function asMarkdown(document: ConformanceDocument): string {
  const matrix = matrixOf(document);
  const { laws, strategies } = matrix;
  const head = ["law", "rule", ...strategies];
  const rows = laws.map(({ id, rule }) => [
    id,
    rule,
    ...strategies.map((strategy) => signs[matrix.cell(id, strategy).status]),
  ]);
  const align = ["---", "---", ...strategies.map(() => ":-:")];
  const table = [head, align, ...rows].map((cells) => `| ${cells.map(inCell).join(" | ")} |`).join("\n");
  const broken = document.results
    .filter(({ status }) => status === "fail")
    .map(
      ({ law, strategy, geometry, reason }) => `- **${law}** on ${strategy}, ${geometry}: ${inLine(reason)}`,
    );
  const legend = "✓ holds · ✗ broken · – does not apply · ? nothing can show it";
  return `${[table, legend, ...(broken.length === 0 ? [] : [broken.join("\n")])].join("\n\n")}\n`;
}

function inCell(text: string): string {
  return inLine(text).replaceAll("|", "\\|");
}

/** Text that Markdown leaves as it is. */
function inLine(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[sign] ?? sign)
    .replaceAll(/[`_[\]]/g, "\\$&")
    .replaceAll(/(?<!\*)\*(?!\*)/g, "\\*")
    .replaceAll("\n", " ");
}
