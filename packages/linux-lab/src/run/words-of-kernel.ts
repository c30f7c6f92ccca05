import type { Complaint } from "../guest/kernel-log.ts";
import type { SubjectDefinition } from "../subject/lab-subject.ts";

/** The name of every process of the agent's (`rdinit=/init`). */
const AGENT = "init";

/** Complaints that the subject's author has not declared. */
export function undeclared(
  all: readonly Complaint[],
  { complaints = [] }: SubjectDefinition,
): readonly Complaint[] {
  return all.filter(({ what }) => !complaints.some(({ of }) => what.includes(of)));
}

/**
 * A complaint in words. One that a worker of the kernel or an interrupt ran into, and no process of a program, may come late:
 * then it is told as well what ran before.
 *
 * @param before the program that ran before on the same guest
 */
export function complaintInWords({ lines }: Complaint, before: string | undefined): string {
  const worker = workerIn(lines);
  if (worker === undefined || before === undefined) return `the kernel complains:\n${lines.join("\n")}`;
  return `the kernel complains in ${worker}, maybe late, of what ran before (${before}):\n${lines.join("\n")}`;
}

/** Who ran into it, unless that was a process of the agent's. */
function workerIn(lines: readonly string[]): string | undefined {
  if (lines.some((line) => line.trim() === "<IRQ>")) return "an interrupt";
  const found = lines.map((line) => /^CPU: .* Comm: (\S+)/.exec(line)).find((match) => match !== null);
  return found?.[1] === AGENT ? undefined : found?.[1];
}
