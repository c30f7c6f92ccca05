import { anyOf, nearestName, type Problem } from "@nopage/core/wiring";
import type { Command, CommanderError } from "commander";
import { UsageError } from "../usage-error.ts";

/**
 * @param names how many words without a hyphen are left to the command itself
 * @throws UsageError when words are left over that the command does not know
 */
export function checkLeftovers(command: Command, names = 0): void {
  const unknown = command.args.filter((word) => word.startsWith("-"));
  // What follows an unknown option may be its value.
  const words = unknown.length > 0 ? unknown : command.args.slice(names);
  if (words.length === 0) return;
  const known = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? []);
  throw new UsageError(
    words.map((word): Problem => {
      const name = word.split("=")[0] ?? word;
      return {
        path: `nopage ${command.name()}`,
        value: word,
        expected: word.startsWith("-") ? `an option: ${anyOf(known)}` : "no further word",
        nearest: word.startsWith("-") ? nearestName(name, known) : undefined,
      };
    }),
  );
}

/** What the parser of the command line found wrong, as a problem like any other. */
export function asUsageError(failure: CommanderError, program: Command): UsageError {
  const quoted = /'([^']*)'/.exec(failure.message)?.[1];
  if (failure.code === "commander.unknownCommand") {
    const known = program.commands.map((command) => command.name());
    const nearest = quoted === undefined ? undefined : nearestName(quoted, known);
    return new UsageError([
      { path: "nopage", value: quoted, expected: `a command: ${anyOf(known)}`, nearest },
    ]);
  }
  if (failure.code === "commander.unknownOption") {
    const known = program
      .createHelp()
      .visibleOptions(program)
      .flatMap(({ long }) => long ?? []);
    const nearest = quoted === undefined ? undefined : nearestName(quoted, known);
    return new UsageError([
      { path: "nopage", value: quoted, expected: `a command, or an option: ${anyOf(known)}`, nearest },
    ]);
  }
  const flag = quoted?.split(" ")[0] ?? "nopage";
  const expected =
    failure.code === "commander.optionMissingArgument" ? `a value, as in ${quoted}` : failure.message;
  return new UsageError([{ path: flag, value: undefined, expected, nearest: undefined }]);
}
