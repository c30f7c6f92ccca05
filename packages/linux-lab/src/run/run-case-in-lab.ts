import {
  type CaseEnd,
  failureInWords,
  type LawCase,
  recordedCase,
  type Stage,
  type Steps,
  whyBeside,
} from "@nopage/testkit/executor";
import { LabExecutor, NotObservable } from "../execute/lab-executor.ts";
import { performAlone } from "../execute/perform-alone.ts";
import { type Guest, GuestLost } from "../guest/guest.ts";
import { complaintsIn } from "../guest/kernel-log.ts";
import { type SubjectDefinition, subjectOf } from "../subject/lab-subject.ts";
import { KEEPER, type Laboratory } from "./laboratory.ts";
import { whyNoSuchMachine } from "./real-machine.ts";
import { tellingPages } from "./telling-pages.ts";

/** What came of one program of a law in the guest. */
export interface LabCaseEnd {
  readonly end: CaseEnd;
  /** What the program did, step by step, and what came of it; only of one that broke its law. */
  readonly steps: readonly string[];
  /** Whether the guest can be used further; or that there was none. */
  readonly guest: "fit" | "spoilt" | "none";
}

/** What each subject was like when it was set up last. */
const stages = new WeakMap<SubjectDefinition, Stage>();

/** Where a program is run: a booted guest, and what is tried on it. */
interface LabSetting {
  readonly guest: Guest;
  readonly subject: SubjectDefinition;
}

/**
 * Runs one program of a law once.
 *
 * @throws ModuleRefused, NoGuests when no guest can be had; one that does not come up is the program's problem
 */
export async function runCaseInLab(
  lawCase: LawCase,
  subject: SubjectDefinition,
  laboratory: Laboratory,
): Promise<LabCaseEnd> {
  const { trial = "mapping" } = subject;
  const beside = whyBeside(lawCase, trial);
  if (beside !== undefined) return excluded(beside);
  if (lawCase.executor === "model") return excluded("it looks inside the kernel");
  const misfit = whyNoSuchMachine(lawCase.machine);
  if (misfit !== undefined) return excluded(misfit);
  // What a subject can do is the same every time: a guest need not be asked for a program that is not for it.
  const known = stages.get(subject);
  const why = known === undefined ? undefined : lawCase.excluded?.(known);
  if (why !== undefined) return excluded(why);
  const named = (problem: string): string =>
    lawCase.when === "" ? `${subject.name}: ${problem}` : `${subject.name}, ${lawCase.when}: ${problem}`;
  const guest = await orLost(laboratory.guestFor(subject));
  if (guest instanceof GuestLost) {
    return { end: { kind: "run", problems: [named(guest.message)] }, steps: [], guest: "none" };
  }
  const setting = { guest, subject };
  const logged = guest.log.length;
  const lines: string[] = [];
  let end: CaseEnd;
  try {
    end = await runOn(lawCase, setting, (line) => lines.push(line));
  } catch (failure) {
    if (failure instanceof NotObservable) end = { kind: "excluded", why: failure.message };
    else end = { kind: "run", problems: [failureInWords("the lab", failure)] };
  }
  const isReset = guest.lost === undefined && (await reset(setting));
  const complaints = complaintsIn(guest.log.slice(logged)).filter(({ what }) => !isKnown(what, subject));
  if (end.kind === "excluded" && complaints.length === 0) {
    return { end, steps: [], guest: isReset ? "fit" : "spoilt" };
  }
  const problems = [
    ...(end.kind === "run" ? end.problems : []),
    ...(guest.lost === undefined ? [] : [guest.lost.message]),
    ...(isProvoking(lawCase) ? [] : complaints).map(
      ({ lines: said }) => `the kernel complains:\n${said.join("\n")}`,
    ),
  ];
  return {
    end: { kind: "run", problems: [...new Set(problems)].map(named) },
    steps: problems.length === 0 ? [] : lines,
    guest: isReset && !complaints.some(({ what }) => isFatal(what)) ? "fit" : "spoilt",
  };
}

async function orLost(guest: Promise<Guest>): Promise<Guest | GuestLost> {
  try {
    return await guest;
  } catch (failure) {
    if (failure instanceof GuestLost) return failure;
    throw failure;
  }
}

/** Whether it does on purpose what the model has to report, and a kernel may. */
function isProvoking({ provokes = [] }: LawCase): boolean {
  return typeof provokes === "string" || provokes.length > 0;
}

function isKnown(complaint: string, { complaints = [] }: SubjectDefinition): boolean {
  return complaints.some(({ of }) => complaint.includes(of));
}

/** After this the kernel is not what it was. */
function isFatal(what: string): boolean {
  return !what.startsWith("WARNING: ") && !what.startsWith("x86/PAT");
}

function excluded(why: string): LabCaseEnd {
  return { end: { kind: "excluded", why }, steps: [], guest: "fit" };
}

async function runOn(
  lawCase: LawCase,
  { guest, subject }: LabSetting,
  note: (line: string) => void,
): Promise<CaseEnd> {
  await guest.startProcess(KEEPER);
  const abilities = await performAlone(guest, KEEPER, subject.setUp());
  const stage: Stage = {
    trial: subject.trial ?? "mapping",
    subject: tellingPages(subjectOf(subject, abilities)),
    pinner: abilities.pinner,
  };
  stages.set(subject, stage);
  const why = lawCase.excluded?.(stage);
  if (why !== undefined) return { kind: "excluded", why };
  const recorded = recordedCase(lawCase, note);
  const executor = new LabExecutor(guest, lawCase.schedule, {
    lockLimitPages: lawCase.machine?.lockLimitPages,
  });
  const problems = await executor.run((): Steps<void> => recorded.program(stage));
  return { kind: "run", problems };
}

/** Ends everything that the program has left; false for a guest that cannot be used any more. */
async function reset({ guest, subject }: LabSetting): Promise<boolean> {
  try {
    const alive = await guest.reset();
    if (alive.length === 0 && subject.tearDown !== undefined) {
      await guest.startProcess(KEEPER);
      await performAlone(guest, KEEPER, subject.tearDown());
      await guest.reset();
    }
    await guest.settleLog();
    return alive.length === 0;
  } catch {
    return false;
  }
}
