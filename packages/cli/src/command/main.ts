import { ReplayMismatch } from "@nopage/core";
import { CompositionError } from "@nopage/core/wiring";
import { type Command, CommanderError } from "commander";
import pc from "picocolors";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { formatProblems, type Output } from "./output.ts";
import { createProgram } from "./program.ts";
import { asUsageError } from "./usage.ts";

/** Runs the command that the words ask for, and says how it ended. Nothing is thrown. */
export async function main(words: readonly string[], version: string, output: Output): Promise<ExitCode> {
  let code: ExitCode = exitCodes.holds;
  const program = createProgram(version, output, (answer) => {
    code = answer;
  });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => output.print(text),
      writeErr: (text) => output.complain(text),
      outputError: () => undefined,
    });
  }
  try {
    await program.parseAsync(words, { from: "user" });
    return code;
  } catch (failure) {
    output.progress(undefined);
    return failure instanceof CommanderError
      ? endParsing(failure, program, output)
      : explain(failure, output);
  }
}

/** The parser stopped: because it printed what was asked for, or because of what was typed. */
function endParsing(failure: CommanderError, program: Command, output: Output): ExitCode {
  if (failure.exitCode === 0) return exitCodes.holds;
  // Without a command it has printed its help in place of an error.
  if (failure.code === "commander.help") return exitCodes.usage;
  return explain(asUsageError(failure, program), output);
}

function explain(failure: unknown, output: Output): ExitCode {
  if (failure instanceof UsageError || failure instanceof CompositionError) {
    output.complain(formatProblems(failure.problems));
    return exitCodes.usage;
  }
  if (failure instanceof ReplayMismatch) {
    output.complain(`${pc.red("nopage")}: the recording no longer fits the program: ${failure.message}\n`);
    return exitCodes.broken;
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  const stack = failure instanceof Error ? failure.stack : undefined;
  const where = process.env["NOPAGE_DEBUG"] ? stack : "Set NOPAGE_DEBUG=1 to see where it happened.";
  output.complain(`${pc.red("nopage")}: internal error: ${message}\n${where}\n`);
  return exitCodes.internal;
}
