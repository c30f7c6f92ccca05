import type { LawReplay, ReplayedStep } from "@nopage/testkit";
import pc from "picocolors";
import { eventInWords } from "./event-words.ts";

/** For files and pipes, which have no width of their own. */
const DEFAULT_WIDTH = 120;
const NUMBER = 6;
const GAP = 2;
/** More of the same kind in a row are told by their number. */
const MOST_QUIET = 2;

/** A failing run as lanes: a column for each task, time going down, and the two steps that met marked with `>>`. */
export function laneDiagram(
  { steps, failedAt }: LawReplay,
  met: readonly [number, number] | undefined,
  width: number = DEFAULT_WIDTH,
): string {
  const shown = steps.slice(0, failedAt + 1);
  const tasks = [...new Set(shown.map(({ task }) => task))].sort((one, other) => one - other);
  const lane = Math.max(24, Math.floor((width - NUMBER) / tasks.length) - GAP);
  const lines = [
    row(
      "step",
      tasks.map((task) => nameOf(shown, task)),
      lane,
    ),
  ];
  let quiet: number[] = [];
  const skip = (): void => {
    if (quiet.length > MOST_QUIET)
      lines.push(
        row(
          "",
          tasks.map((task) => countOf(shown, quiet, task)),
          lane,
        ),
      );
    else for (const at of quiet) lines.push(...rows(shown, at, tasks, lane, false));
    quiet = [];
  };
  for (const [at, step] of shown.entries()) {
    const isMarked = met?.includes(at) ?? false;
    if (!isMarked && isQuiet(step, shown[at - 1]) && at !== failedAt) {
      quiet.push(at);
      continue;
    }
    skip();
    lines.push(...rows(shown, at, tasks, lane, isMarked));
  }
  skip();
  return `${lines.join("\n")}\n`;
}

/** A step in which nothing is seen to happen, in the middle of what a task does. */
function isQuiet({ task, events, tells }: ReplayedStep, before: ReplayedStep | undefined): boolean {
  return (
    before?.task === task && tells.length === 0 && !events.some((event) => eventInWords(event) !== undefined)
  );
}

function rows(
  steps: readonly ReplayedStep[],
  at: number,
  tasks: readonly number[],
  lane: number,
  isMarked: boolean,
): readonly string[] {
  const { task, words, events, tells } = steps[at] as ReplayedStep;
  const happened = events.flatMap((event) => eventInWords(event) ?? []).map((event) => `  * ${event}`);
  const cell = [
    `${isMarked ? ">> " : ""}${words}`,
    ...happened,
    ...tells.map((told) => `  = ${withoutActor(told)}`),
  ];
  const lines = cell.flatMap((text) => wrapped(text, lane));
  return lines.map((text, index) => {
    const cells = tasks.map((other) => (other === task ? text : ""));
    const line = row(index === 0 ? String(at + 1) : "", cells, lane);
    return isMarked ? pc.bold(line) : line;
  });
}

function row(number: string, cells: readonly string[], lane: number): string {
  const padded = cells.map((cell) => cell.padEnd(lane + GAP));
  return `${number.padStart(NUMBER - GAP)}${" ".repeat(GAP)}${padded.join("")}`.trimEnd();
}

function countOf(steps: readonly ReplayedStep[], quiet: readonly number[], task: number): string {
  const count = quiet.filter((at) => steps[at]?.task === task).length;
  return count === 0 ? "" : `   ... ${count} steps`;
}

function nameOf(steps: readonly ReplayedStep[], task: number): string {
  return steps.find((step) => step.task === task)?.name ?? "";
}

/** The lane says who it is. */
function withoutActor(told: string): string {
  return told.replace(/^[^:]*: /, "");
}

/** A text in lines of so many characters, broken at spaces where there are some. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > width / 2 ? space : width;
    lines.push(rest.slice(0, end));
    rest = `     ${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest];
}
