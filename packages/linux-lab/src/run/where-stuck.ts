import type { Guest } from "../guest/guest.ts";
import { linesOf } from "../guest/kernel-log.ts";

/** Lines that are shown, at most. */
const MOST_LINES = 80;

/** What the kernel is asked for: `w` the tasks that are blocked, with where they are; `l` where each busy CPU is. */
export type StuckLetter = "w" | "l";

/**
 * Where the kernel stands, for a program that does not go on: the traces that `/proc/sysrq-trigger` makes it log
 * (Documentation/admin-guide/sysrq.rst). Empty where nothing is blocked in the kernel, or the guest does not answer.
 */
export async function whereStuck(
  guest: Pick<Guest, "log" | "sysrq" | "settleLog">,
  letters: readonly StuckLetter[],
): Promise<readonly string[]> {
  if (letters.length === 0) return [];
  const from = guest.log.length;
  try {
    for (const letter of letters) await guest.sysrq(letter);
    await guest.settleLog();
  } catch {
    // What has arrived is better than nothing.
  }
  return stuckLines(guest.log.slice(from));
}

/** What such a piece of the log says of tasks and CPUs that do not go on; empty where it says of none. */
export function stuckLines(said: string): readonly string[] {
  const all = linesOf(said).filter((line) => line !== "" && !line.startsWith("agent: "));
  // Lines with a question mark are what else lies on the stack.
  const lines = withoutAsker(all).filter((line) => !line.startsWith(" ? "));
  const isTold = lines.some((line) => /^task:|^CPU: \d+ PID: |^NMI backtrace for cpu \d+$/.test(line));
  if (!isTold) return [];
  const rest = lines.length - MOST_LINES;
  return rest <= 0 ? lines : [...lines.slice(0, MOST_LINES), `and ${rest} lines more`];
}

/** Leaves out the CPU that has been asked, which is at the asking. */
function withoutAsker(lines: readonly string[]): readonly string[] {
  const starts = lines.flatMap((line, at) =>
    /^(?:NMI backtrace|Sending NMI|sysrq: )/.test(line) ? [at] : [],
  );
  const parts = [0, ...starts].map((start, index) => lines.slice(start, starts[index] ?? lines.length));
  return parts.filter((part) => !part.some((line) => line.includes("write_sysrq_trigger"))).flat();
}
