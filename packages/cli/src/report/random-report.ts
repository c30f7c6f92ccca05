import type { RandomFinding, RandomResult } from "@nopage/linux-lab";
import pc from "picocolors";
import { cutInWords } from "./lab-report.ts";
import { count } from "./words.ts";

/** What random sequences came to. */
export interface RandomDocument {
  readonly kernel: string;
  readonly seed: number;
  readonly results: readonly RandomResult[];
  /** What has cut the run short; undefined for one that came to its end. */
  readonly cut?: string | undefined;
}

/** The document for programs. */
export function randomJson(document: RandomDocument): string {
  const results = document.results.map(({ finding, ...result }) => {
    if (finding === undefined) return { ...result, status: "agree" };
    const { steps, difference } = finding;
    return { ...result, status: "disagree", steps, ...difference };
  });
  return `${JSON.stringify({ ...document, results }, null, 2)}\n`;
}

/** Subject by subject how many sequences were run, and the shortest one on which the two sides do not agree. */
export function randomReport({ kernel, seed, results, cut }: RandomDocument): string {
  const lines = results.flatMap(({ subject, sequences, explained, finding }) => {
    const reasons = [...new Set(explained)].join("; ");
    const known = explained.length === 0 ? "" : `, ${explained.length} up to a known difference (${reasons})`;
    const head = `${pc.bold(subject)}  ${count(sequences, "sequence")}${known}`;
    if (finding === undefined) return [`${head}, ${pc.green("both agree")}`];
    return [`${head}, ${pc.red("they disagree")} on this one:`, ...found(finding)];
  });
  const all = results.reduce((sum, { sequences }) => sum + sequences, 0);
  const differing = results.filter(({ finding }) => finding !== undefined).length;
  const verdict =
    differing === 0
      ? pc.green(cut === undefined ? "It agrees" : "So far it agrees")
      : pc.red("It does not agree");
  return [
    `Linux ${kernel}, in QEMU; seed ${seed}.`,
    "",
    ...lines,
    "",
    ...cutInWords(cut),
    `${verdict}; ${count(all, "sequence")}, ${count(differing, "subject")} with a difference.`,
    "",
  ].join("\n");
}

function found({ difference, model, linux }: RandomFinding): readonly string[] {
  const { outcomes } = linux.outcomes.length > model.outcomes.length ? linux : model;
  const lines: string[] = [];
  for (const { place, step, outcome } of outcomes) {
    if (place === difference.place) {
      lines.push(`  ${place} ${JSON.stringify(step)}`);
      break;
    }
    lines.push(`  ${place} ${JSON.stringify(step)} = ${outcome}`);
  }
  if (difference.place === "areas" || difference.place === "end") lines.push(`  ${difference.place}`);
  return [...lines, ...sides("model", difference.model), ...sides("Linux", difference.linux)];
}

function sides(name: string, text: string): readonly string[] {
  return text.split("\n").map((line) => `      ${name}: ${line}`);
}
