import type { LawReplay, ReplayedStep } from "@nopage/testkit";
import pc from "picocolors";
import { happeningsInWords } from "./state-words.ts";

/** For files and pipes, which have no width of their own. */
const DEFAULT_WIDTH = 120;
const NUMBER = 6;
const GAP = 2;
/** No lane is narrower. */
const LEAST = 24;
/** More of the same kind in a row are told by their number. */
const MOST_QUIET = 2;

/** The width of each lane, in the order of the tasks. */
type Widths = readonly number[];

/** A failing run as lanes: a column for each task, time going down, and the two steps that met marked with `>>`. What happened in a step stands below it after `*`, what it changed of the machine after `~`, and what the program saw after `=`. */
export function laneDiagram(
  { steps, failedAt }: LawReplay,
  met: readonly [number, number] | undefined,
  width: number = DEFAULT_WIDTH,
): string {
  const shown = steps.slice(0, failedAt + 1);
  if (shown.length === 0)
    return "It fails before there is a second task: there is no order of steps to show.\n";
  const tasks = [...new Set(shown.map(({ task }) => task))].sort((one, other) => one - other);
  const widths = widthsOf(shown, tasks, width);
  const lines = [
    row(
      "step",
      tasks.map((task) => nameOf(shown, task)),
      widths,
    ),
  ];
  let quiet: number[] = [];
  const skip = (): void => {
    if (quiet.length > MOST_QUIET)
      lines.push(
        row(
          "",
          tasks.map((task) => countOf(shown, quiet, task)),
          widths,
        ),
      );
    else for (const at of quiet) lines.push(...rows(shown, at, tasks, widths, false));
    quiet = [];
  };
  for (const [at, step] of shown.entries()) {
    const isMarked = met?.includes(at) ?? false;
    if (!isMarked && isQuiet(step, shown[at - 1]) && at !== failedAt) {
      quiet.push(at);
      continue;
    }
    skip();
    lines.push(...rows(shown, at, tasks, widths, isMarked));
  }
  skip();
  return `${lines.join("\n")}\n`;
}

/** A step in which nothing is seen to happen, in the middle of what a task does. */
function isQuiet(step: ReplayedStep, before: ReplayedStep | undefined): boolean {
  if (before?.task !== step.task || step.tells.length > 0) return false;
  const { happened, changed } = happeningsInWords(step);
  return happened.length + changed.length === 0;
}

function rows(
  steps: readonly ReplayedStep[],
  at: number,
  tasks: readonly number[],
  widths: Widths,
  isMarked: boolean,
): readonly string[] {
  const step = steps[at] as ReplayedStep;
  const { task } = step;
  const lines = linesOf(step, isMarked).flatMap((text) =>
    wrapped(text, widths[tasks.indexOf(task)] ?? LEAST),
  );
  return lines.map((text, index) => {
    const cells = tasks.map((other) => (other === task ? text : ""));
    const line = row(index === 0 ? String(at + 1) : "", cells, widths);
    return isMarked ? pc.bold(line) : line;
  });
}

/** A step in lines that may be too long. */
function linesOf(step: ReplayedStep, isMarked: boolean): readonly string[] {
  const { words, does, tells } = step;
  const { happened, changed } = happeningsInWords(step);
  return [
    `${isMarked ? ">> " : ""}${words === "" ? does : words}`,
    ...happened.map((event) => `  * ${event}`),
    ...changed.map((change) => `  ~ ${change}`),
    ...tells.map((told) => `  = ${withoutActor(told)}`),
  ];
}

/** Each lane as wide as its longest line, or as there is room for. */
function widthsOf(steps: readonly ReplayedStep[], tasks: readonly number[], width: number): Widths {
  const most = Math.max(LEAST, Math.floor((width - NUMBER) / tasks.length) - GAP);
  return tasks.map((task) => {
    const own = steps.filter((step) => step.task === task);
    const longest = Math.max(...own.flatMap((step) => linesOf(step, true)).map(({ length }) => length));
    return Math.min(most, Math.max(LEAST, longest));
  });
}

function row(number: string, cells: readonly string[], widths: Widths): string {
  const padded = cells.map((cell, index) => cell.padEnd((widths[index] ?? 0) + GAP));
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
