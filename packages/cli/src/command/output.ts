import type { Problem } from "@nopage/core/wiring";
import { describeProblem } from "@nopage/core/wiring";
import pc from "picocolors";
import { processTerminal, type Terminal } from "../step/terminal.ts";

/** Where a command writes: results to one side, everything else to the other. */
export interface Output {
  /** The working directory: paths of flags are relative to it. */
  readonly directory: string;
  /** Columns of the terminal; undefined when results go to a file or a pipe. */
  readonly columns: number | undefined;
  /** The terminal, for what asks for keys; left out where there is none. */
  readonly terminal?: Terminal | undefined;
  /** Results. */
  print(text: string): void;
  /** Errors. */
  complain(text: string): void;
  /** What is being done at the moment, for a person who waits; nothing clears it. */
  progress(text: string | undefined): void;
}

/** The output of a command that a person or a program has started. */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  return {
    directory: process.cwd(),
    columns: stdout.isTTY ? stdout.columns : undefined,
    terminal: processTerminal(),
    print: (text) => void stdout.write(text),
    complain: (text) => void stderr.write(text),
    progress: (text) => {
      if (stderr.isTTY) stderr.write(`\r\u001b[K${text === undefined ? "" : pc.dim(text)}`);
    },
  };
}

/** Problems as a person reads them: a heading with their number, then one a line. */
export function formatProblems(problems: readonly Problem[]): string {
  const heading =
    problems.length === 1
      ? "1 problem, and nothing was run"
      : `${problems.length} problems, and nothing was run`;
  const lines = problems.map((problem) => `  ${describeProblem(problem)}`);
  return `${pc.red("nopage")}: ${heading}\n${lines.join("\n")}\n`;
}
