import type { LabResult, LabStatus } from "@nopage/linux-lab";
import { allLaws } from "@nopage/testkit/conform";
import pc from "picocolors";
import { count } from "./words.ts";

/** What a run in the lab came to. */
export interface LabDocument {
  /** The kernel's release. */
  readonly kernel: string;
  readonly results: readonly LabResult[];
}

/** Subject by subject: which laws hold, which do not apply, and each broken one with its program step by step. */
export function labReport({ kernel, results }: LabDocument): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const parts = subjects.flatMap((subject) => about(subject, results));
  return [`Linux ${kernel}, in QEMU.`, "", ...parts, closing(results), ""].join("\n");
}

function about(subject: string, results: readonly LabResult[]): readonly string[] {
  const own = results.filter((result) => result.subject === subject);
  const having = (status: LabStatus): readonly LabResult[] =>
    own.filter((result) => result.status === status);
  const holds = having("holds").map(({ law }) => law);
  return [
    pc.bold(subject),
    `  ${pc.green("holds")}      ${holds.length === 0 ? "nothing" : holds.join(" ")}`,
    ...having("explained").map(({ law, reason }) => `  ${pc.yellow("explained")}  ${law}: ${reason}`),
    ...skipped(having("skip")),
    ...having("broken").flatMap(broken),
    "",
  ];
}

/** Laws that do not apply, those with the same reason together. */
function skipped(results: readonly LabResult[]): readonly string[] {
  const reasons = new Map<string, string[]>();
  for (const { reason, law } of results) {
    const laws = reasons.get(reason);
    if (laws === undefined) reasons.set(reason, [law]);
    else laws.push(law);
  }
  return [...reasons].map(([reason, laws]) => `  ${pc.dim("skipped")}    ${laws.join(" ")}: ${reason}`);
}

function broken({ law, reason, broken: programs }: LabResult): readonly string[] {
  const rule = allLaws.find(({ id }) => id === law)?.rule ?? "";
  return [
    `  ${pc.red("BROKEN")}     ${law} ${rule}`,
    ...reason.split("\n").map((line) => `    ${line}`),
    ...programs.flatMap(({ when, steps }) => [
      `    The program${when === "" ? "" : `, ${when}`}:`,
      ...steps.map((step) => `      ${step}`),
    ]),
  ];
}

function closing(results: readonly LabResult[]): string {
  const having = (status: LabStatus): number => results.filter((result) => result.status === status).length;
  const verdict =
    having("broken") === 0
      ? pc.green("It holds")
      : pc.red(`It does not hold: ${count(having("broken"), "law")} broken`);
  return `${verdict}; ${count(having("holds"), "law")} kept, ${having("explained")} broken for a known reason, ${having("skip")} that do not apply.`;
}
