import type { LawReplay, ReplayedStep } from "@nopage/testkit";
import pc from "picocolors";
import { firstLine } from "../report/first-line.ts";
import { happeningsInWords, thingInWords } from "../report/state-words.ts";
import { type ShownThing, type Standing, type Stepped, thingsAt } from "./stepper.ts";

/** How large the terminal is. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Steps that are shown around the one that was taken last, at most. */
const MOST_STEPS = 11;
const KEYS =
  "→ ← one step   Home End   m the steps that met   f where it failed   PgUp PgDn state   q ends it";

/** What stands on the terminal: the steps around the one that was taken last, what it did, and the machine after it. */
export function screenOf(stepped: Stepped, standing: Standing, { columns, rows }: ScreenSize): string {
  const head = [fitted(stepped.title, columns, pc.bold), fitted(positionOf(stepped, standing), columns), ""];
  const steps = stepsAround(stepped, standing.taken, Math.min(MOST_STEPS, Math.max(3, rows - 16)), columns);
  const last = stepped.replay.steps[standing.taken - 1];
  const details =
    last === undefined
      ? []
      : detailsOf(stepped, standing.taken - 1, last).map((line) => fitted(line, columns));
  const above = [...head, ...steps, "", ...details, ...(details.length > 0 ? [""] : [])];
  const room = Math.max(1, rows - above.length - 2);
  const state = stateLines(thingsAt(stepped.replay, standing.taken), columns);
  const from = Math.min(standing.scrolled, Math.max(0, state.length - room));
  const shown = state.slice(from, from + room);
  const rest = state.length - from - shown.length;
  const more = rest > 0 ? `  and ${rest} more (PgDn)` : "";
  const filled = [...above, ...shown].slice(0, Math.max(0, rows - 2));
  while (filled.length < rows - 2) filled.push("");
  return [...filled, fitted(more, columns, pc.dim), fitted(KEYS, columns, pc.dim)].join("\n");
}

function positionOf({ replay, met }: Stepped, { taken }: Standing): string {
  const { steps, failedAt, problems } = replay;
  const failed = failureOf(replay);
  if (taken === 0) return `before the first of ${steps.length} steps${failed}`;
  const at = taken - 1;
  const marks = [
    ...(met?.includes(at) === true ? [">> one of the two steps that met"] : []),
    ...(at === failedAt && problems.length > 0 ? [`here it was known: ${firstLine(problems[0] ?? "")}`] : []),
  ];
  return [`after step ${taken} of ${steps.length}${failed}`, ...marks].join("   ");
}

/** Where the run failed: it goes on after that, so it is not where it ends. */
function failureOf({ failedAt, problems }: LawReplay): string {
  if (problems.length === 0) return "";
  return failedAt < 0 ? ", failed before the first" : `, failed after ${failedAt + 1}`;
}

/** The steps around the last one, each on a line. */
function stepsAround(stepped: Stepped, taken: number, most: number, columns: number): readonly string[] {
  const { steps } = stepped.replay;
  const first = Math.max(0, Math.min(taken - 1 - Math.floor(most / 2), steps.length - most));
  const names = Math.max(...steps.map(({ name }) => name.length));
  return steps.slice(first, first + most).map((step, index) => {
    const at = first + index;
    const mark = at === taken - 1 ? ">" : " ";
    const met = stepped.met?.includes(at) === true ? ">> " : "";
    const preempts = step.preempts ? "  (the one before could have gone on)" : "";
    const line = `${mark}${String(at + 1).padStart(5)}  ${step.name.padEnd(names)}  ${met}${wordsOf(step)}${preempts}`;
    return fitted(line, columns, at === taken - 1 ? pc.bold : at >= taken ? pc.dim : undefined);
  });
}

/** What the last step was, on whose behalf, and what came of it. */
function detailsOf({ replay }: Stepped, at: number, step: ReplayedStep): readonly string[] {
  const cpu = step.cpu < 0 ? "hardware" : `CPU ${step.cpu}`;
  const callers = step.callers.length === 0 ? "user space" : step.callers.join(" → ");
  const under = operationUnderWay(replay.steps, at);
  return [
    `task     ${step.name}, task ${step.task}, on ${cpu}`,
    `step     ${wordsOf(step)}`,
    `callers  ${callers}`,
    ...(under === undefined ? [] : [`program  ${under}`]),
    ...happeningsInWords(step).happened.map((event) => `       * ${event}`),
    ...step.tells.map((told) => `       = ${told}`),
  ];
}

/** What the program is doing in a step: what is told of the same task next, without what it is answered. */
function operationUnderWay(steps: readonly ReplayedStep[], at: number): string | undefined {
  const task = steps[at]?.task;
  const told = steps.slice(at).find((step) => step.task === task && step.tells.length > 0)?.tells[0];
  return told?.replace(/^[^:]*: /, "").replace(/ = [^=]*$/, "");
}

function wordsOf({ words, does }: ReplayedStep): string {
  return words === "" ? does : words;
}

/** The machine, a line for each thing; what the last step has changed is marked with `*`, and how it was stands behind. */
function stateLines(things: readonly ShownThing[], columns: number): readonly string[] {
  const width = Math.max(0, ...things.map(({ kind, of }) => thingInWords(kind, of).length));
  return things.map(({ kind, of, is, was, isChanged }) => {
    const before = isChanged ? `   (${was === undefined ? "was not there" : `was ${was}`})` : "";
    const line = `${isChanged ? "*" : " "} ${thingInWords(kind, of).padEnd(width)}  ${is ?? "gone"}${before}`;
    return fitted(line, columns, isChanged ? pc.yellow : undefined);
  });
}

/** A line that the terminal does not break. */
function fitted(line: string, columns: number, style: (text: string) => string = (text) => text): string {
  return style(line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`);
}
