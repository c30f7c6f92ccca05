import { failureInWords, user } from "@nopage/testkit/executor";
import { performAlone } from "../execute/perform-alone.ts";
import type { Guest } from "../guest/guest.ts";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { KEEPER } from "./keeper.ts";
import type { Laboratory } from "./laboratory.ts";
import { complaintInWords, undeclared } from "./words-of-kernel.ts";

/** What the kernel does late (delayed work, what waits for a grace period of RCU) has so long, in milliseconds. */
const LATE_MS = 500;

/** What stands for a law where it is the kernel that complains, after the last one. */
export const AFTERWARDS = "afterwards";

/**
 * What the kernel complains of after the last program of a subject: late, or while the subject's module is unloaded, which
 * every driver can be expected to survive. Empty where it complains of nothing, or where no guest is left to look at.
 */
export async function complaintsAfterwards(
  subject: SubjectDefinition,
  laboratory: Laboratory,
): Promise<readonly string[]> {
  const guest = laboratory.guestLeftBy(subject);
  if (guest === undefined) return [];
  const problems: string[] = [];
  try {
    if (subject.module !== undefined) await unload(guest, subject.module);
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  } catch (failure) {
    problems.push(failureInWords("the lab", failure));
  }
  const { complaints, kernel } = await laboratory.listen();
  problems.push(
    ...undeclared(complaints, subject).map((complaint) => complaintInWords(complaint, laboratory.before)),
  );
  if (kernel === "spoilt" || problems.length > 0) await laboratory.discard();
  return problems.map((problem) => `${subject.name}: afterwards, and while its module goes, ${problem}`);
}

/** A module that something still holds stays: whether it may is for the laws about modules to say. */
async function unload(guest: Guest, name: string): Promise<void> {
  await guest.startProcess(KEEPER);
  await performAlone(guest, KEEPER, user.deleteModule(name));
  await guest.reset();
}
