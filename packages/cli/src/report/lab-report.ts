import { MUST_HOLD, type ParityResult, type ParityStatus } from "@nopage/linux-lab";
import { allLaws } from "@nopage/testkit/conform";
import pc from "picocolors";
import { outcomesInWords, raceInWords, racesOf } from "./race-words.ts";
import { count } from "./words.ts";

/** What a run in the lab came to. */
export interface LabDocument {
  /** The kernel's release. */
  readonly kernel: string;
  readonly results: readonly ParityResult[];
  /** What has cut the run short; undefined for one that came to its end. */
  readonly cut?: string | undefined;
}

/**
 * The document for programs: each result without its steps, which its reason names; what each race came to, and how often; and
 * the explanations of differences that this run did not need. Of a run that was cut short, by what.
 */
export function labJson({ kernel, results, cut }: LabDocument): string {
  const told = results.map(({ subject, law, status, model, linux, reason }) => {
    return { subject, law, status, model, linux, reason };
  });
  const stale = results.flatMap(({ subject, law, stale: reasons }) =>
    reasons.map((reason) => ({ subject, law, reason })),
  );
  const races = racesOf(results).map(({ subject, law, race }) => ({ subject, law, ...race }));
  return `${JSON.stringify({ kernel, results: told, races, stale, cut }, null, 2)}\n`;
}

/** Whether nothing disagrees, and every explanation of a difference was needed. */
export function isSettled({ status, stale }: ParityResult): boolean {
  return status !== "disagree" && stale.length === 0;
}

/**
 * Subject by subject: on which laws model and Linux agree, which do not apply, and each difference step by step.
 *
 * @param races `full` for every outcome of a race with how often it was seen, `short` for how many there were
 */
export function labReport({ kernel, results, cut }: LabDocument, races: "short" | "full" = "short"): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const parts = subjects.flatMap((subject) => about(subject, results, races));
  return [`Linux ${kernel}, in QEMU.`, "", ...parts, ...cutInWords(cut), closing(results, cut), ""].join(
    "\n",
  );
}

/** What is said of results: of a subject that the model does not have, whether it keeps the laws. */
interface Words {
  readonly agree: string;
  readonly disagree: string;
}

const compared: Words = { agree: "agree", disagree: "DISAGREE" };
const alone: Words = { agree: "holds", disagree: "BROKEN" };

function isAlone(results: readonly ParityResult[]): boolean {
  return results.every(({ status, model }) => status === "skip" || model === MUST_HOLD);
}

function about(
  subject: string,
  results: readonly ParityResult[],
  detail: "short" | "full",
): readonly string[] {
  const own = results.filter((result) => result.subject === subject);
  const words = isAlone(own) ? alone : compared;
  const having = (status: ParityStatus): readonly ParityResult[] =>
    own.filter((result) => result.status === status);
  const agree = having("agree");
  const laws = agree.map(({ law }) => law);
  return [
    pc.bold(subject),
    `  ${pc.green(words.agree)}      ${laws.length === 0 ? "nothing" : laws.join(" ")}`,
    ...racesOf(own).flatMap(({ law, race }) => [
      `  ${pc.dim("race")}       ${raceInWords(law, race)}`,
      ...(detail === "full" ? outcomesInWords(race).map((line) => `               ${line}`) : []),
    ]),
    ...having("explained").map(({ law, reason }) => `  ${pc.yellow("explained")}  ${law}: ${reason}`),
    ...skipped(having("skip")),
    ...having("disagree").flatMap((result) => disagreeing(result, words.disagree.padEnd(11))),
    ...own.flatMap(({ law, stale }) =>
      stale.map((reason) => `  ${pc.red("stale explanation")}  ${law} does not need it: ${reason}`),
    ),
    "",
  ];
}

/** Laws that do not apply, those with the same reason together. */
function skipped(results: readonly ParityResult[]): readonly string[] {
  const reasons = new Map<string, string[]>();
  for (const { reason, law } of results) {
    const laws = reasons.get(reason);
    if (laws === undefined) reasons.set(reason, [law]);
    else laws.push(law);
  }
  return [...reasons].map(([reason, laws]) => `  ${pc.dim("skipped")}    ${laws.join(" ")}: ${reason}`);
}

function disagreeing({ law, model, linux, reason, programs }: ParityResult, word: string): readonly string[] {
  const rule = allLaws.find(({ id }) => id === law)?.rule ?? "";
  return [
    `  ${pc.red(word)}${law} ${rule}`,
    ...(model === MUST_HOLD
      ? linux.split("\n").map((line) => `    ${line}`)
      : [`    ${reason}`, ...labelled("model", model), ...labelled("Linux", linux)]),
    ...programs.flatMap(({ when, steps }) => [
      `    The program${when === "" ? "" : `, ${when}`}:`,
      ...steps.map((step) => `      ${step}`),
    ]),
  ];
}

function labelled(side: string, text: string): readonly string[] {
  return text.split("\n").map((line) => `    ${side}: ${line}`);
}

/** What is said of a run that did not come to its end, before all else that it came to. */
export function cutInWords(cut: string | undefined): readonly string[] {
  return cut === undefined
    ? []
    : [`${pc.red("Cut short")} by ${cut}. What is told is what was known by then.`];
}

function closing(results: readonly ParityResult[], cut: string | undefined): string {
  if (results.length === 0 && cut !== undefined) return "Nothing was known yet.";
  const [holds, agrees] =
    cut === undefined ? ["It holds", "It agrees"] : ["So far it holds", "So far it agrees"];
  const having = (status: ParityStatus): number =>
    results.filter((result) => result.status === status).length;
  const disagree = having("disagree");
  const stale = results.reduce((sum, result) => sum + result.stale.length, 0);
  const needless = stale === 0 ? "" : `; ${pc.red(count(stale, "stale explanation"))}`;
  if (isAlone(results)) {
    const verdict =
      disagree === 0 ? pc.green(holds) : pc.red(`It does not hold: ${count(disagree, "law")} broken`);
    return `${verdict}; ${count(having("agree"), "law")} kept, ${having("explained")} broken for a known reason, ${having("skip")} that do not apply${needless}.`;
  }
  const verdict =
    disagree === 0 ? pc.green(agrees) : pc.red(`It does not agree: ${count(disagree, "difference")}`);
  return `${verdict}; ${count(having("agree"), "law")} on which both sides agree, ${having("explained")} with a known reason, ${having("skip")} that do not apply${needless}.`;
}
