import type { ParityResult, ParityStatus } from "@nopage/linux-lab";
import { allLaws } from "@nopage/testkit/conform";
import type { LabDocument } from "./lab-report.ts";
import { racesOf } from "./race-words.ts";

const signs: Readonly<Record<ParityStatus, string>> = {
  agree: "✓",
  disagree: "**✗**",
  explained: "(✓)",
  skip: "–",
};

/**
 * The document as Markdown: a line for each law that was run and a column for each subject, and below what differs and why,
 * and what was seen of races.
 */
export function parityMarkdown({ kernel, results, cut }: LabDocument, date: string): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const run = allLaws.filter(({ id }) => results.some(({ law, status }) => law === id && status !== "skip"));
  const cell = (law: string, subject: string): string => {
    const found = results.find((result) => result.law === law && result.subject === subject);
    return found === undefined ? "" : signs[found.status];
  };
  const head = ["law", "rule", ...subjects.map((name) => name.replace(".", " "))];
  const align = ["---", "---", ...subjects.map(() => ":-:")];
  const rows = run.map(({ id, rule }) => [id, rule, ...subjects.map((subject) => cell(id, subject))]);
  const table = [head, align, ...rows].map((cells) => `| ${cells.map(inLine).join(" | ")} |`);
  const having = (status: ParityStatus): readonly ParityResult[] =>
    results.filter((result) => result.status === status);
  const parts = [
    "# The model and Linux",
    `Linux ${kernel} in QEMU, ${date}. Written by \`nopage lab --markdown\`.`,
    `${having("agree").length} agree, ${having("disagree").length} disagree, ${having("explained").length} differ for a known reason, ${having("skip").length} do not apply.`,
    ...(cut === undefined
      ? []
      : [`**Cut short** by ${inLine(cut)}. What is told is what was known by then.`]),
    table.join("\n"),
    "✓ both saw the same, step by step · (✓) they differ for a reason that is known · **✗** they differ · – not run",
    ...section("What differs", having("disagree"), ({ model, linux }) => `model: ${model}; Linux: ${linux}`),
    ...section("What differs for a known reason", having("explained"), ({ reason }) => reason),
    ...races(results),
    ...notRun(results),
  ];
  return `${parts.join("\n\n")}\n`;
}

function section(
  title: string,
  results: readonly ParityResult[],
  say: (result: ParityResult) => string,
): readonly string[] {
  if (results.length === 0) return [];
  const said = new Map<string, string[]>();
  for (const result of results) {
    const line = `${result.law}: ${inLine(say(result))}`;
    said.set(line, [...(said.get(line) ?? []), result.subject]);
  }
  const lines = [...said].map(([line, subjects]) => `- ${line} (${subjects.join(", ")})`);
  return [`## ${title}`, lines.join("\n")];
}

/** What each race came to, with how often it did on each subject; those alike together. */
function races(results: readonly ParityResult[]): readonly string[] {
  const all = racesOf(results);
  if (all.length === 0) return [];
  const programs = new Map<string, Map<string, string[]>>();
  for (const { law, subject, race } of all) {
    const name = race.program === "" ? law : `${law}, ${race.program}`;
    const lines = programs.get(name) ?? new Map<string, string[]>();
    programs.set(name, lines);
    for (const { outcome, times, allowed } of race.outcomes) {
      const standing = allowed === "no" ? "**not allowed**: " : "";
      const line = `${standing}${inLine(outcome)}`;
      lines.set(line, [...(lines.get(line) ?? []), `${subject} ${times}`]);
    }
    if (race.search !== "incomplete") continue;
    lines.set(OPEN, [...(lines.get(OPEN) ?? []), subject]);
  }
  const told = [...programs].map(([name, lines]) => {
    const items = [...lines].map(([line, subjects]) => `  - ${line} (${subjects.join(", ")})`);
    return [`- ${inLine(name)}`, ...items].join("\n");
  });
  const runs = [...new Set(all.map(({ race }) => race.runs))].sort((one, other) => other - one);
  return [
    "## Races",
    `Each program was run ${runs.join(" or ")} times. Its outcomes, by the steps that tell them apart: how often each subject came to it; 0 for one that the model allows and that was not seen.`,
    told.join("\n"),
  ];
}

/** What is said where a search has ended before its end. */
const OPEN = "_the model was not searched to the end: it may allow more_";

/** Laws that were run on no subject, by their reasons. */
function notRun(results: readonly ParityResult[]): readonly string[] {
  const laws = [...new Set(results.map(({ law }) => law))].filter((law) =>
    results.every((result) => result.law !== law || result.status === "skip"),
  );
  if (laws.length === 0) return [];
  const lines = laws.map((law) => {
    const reasons = new Set(results.filter((result) => result.law === law).map(({ reason }) => reason));
    return `- ${law}: ${inLine([...reasons].join("; "))}`;
  });
  return ["## What was not run", lines.join("\n")];
}

/** Text that a table's cell or a list's line leaves as it is. */
function inLine(text: string): string {
  return text
    .replaceAll(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[sign] ?? sign)
    .replaceAll("|", "\\|")
    .replaceAll("\n", "; ");
}
