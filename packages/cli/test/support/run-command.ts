import { stripVTControlCharacters } from "node:util";
import { main } from "../../src/command/main.ts";

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process, as if it were typed in the folder. */
export async function runCommand(words: readonly string[], directory = "/"): Promise<CommandEnd> {
  let stdout = "";
  let stderr = "";
  const code = await main(words, "1.2.3", {
    directory,
    columns: undefined,
    print: (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
    progress: () => undefined,
  });
  return { code, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
}
