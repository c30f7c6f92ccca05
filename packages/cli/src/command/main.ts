import { CompositionError } from "@nopage/core/wiring";
import { CommanderError } from "commander";
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
    return explain(failure instanceof CommanderError ? usageOf(failure) : failure, output);
  }

  function usageOf(failure: CommanderError): unknown {
    // Help and version were asked for and have been printed; help that was not asked for stands in for an error.
    if (failure.exitCode === 0) return undefined;
    return failure.code === "commander.help" ? exitCodes.usage : asUsageError(failure, program);
  }
}

function explain(failure: unknown, output: Output): ExitCode {
  if (failure === undefined) return exitCodes.holds;
  if (failure === exitCodes.usage) return exitCodes.usage;
  if (failure instanceof UsageError || failure instanceof CompositionError) {
    output.complain(formatProblems(failure.problems));
    return exitCodes.usage;
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  output.complain(`${pc.red("nopage")}: internal error: ${message}\n`);
  if (process.env["NOPAGE_DEBUG"]) output.complain(`${failure instanceof Error ? failure.stack : failure}\n`);
  else output.complain("Set NOPAGE_DEBUG=1 to see where it happened.\n");
  return exitCodes.internal;
}
