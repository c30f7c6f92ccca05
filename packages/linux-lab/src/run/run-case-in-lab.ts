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
import { ActorGone, type Guest, GuestLost } from "../guest/guest.ts";
import { isFatal } from "../guest/kernel-log.ts";
import { type SubjectAbilities, type SubjectDefinition, subjectOf } from "../subject/lab-subject.ts";
import { KEEPER } from "./keeper.ts";
import type { Laboratory } from "./laboratory.ts";
import { whyNoSuchMachine } from "./real-machine.ts";
import { tellingPages } from "./telling-pages.ts";
import { type StuckLetter, whereStuck } from "./where-stuck.ts";
import { complaintInWords, undeclared } from "./words-of-kernel.ts";

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
  readonly laboratory: Laboratory;
  readonly raceSeed: number;
}

/** The subject could not be made ready: it is not the program that has failed. */
class SetUpFailed extends Error {
  override readonly name = "SetUpFailed";
}

/**
 * Runs one program of a law once.
 *
 * @param raceSeed decides who of a race begins when (`RaceOrder`)
 * @throws ModuleRefused, NoGuests when no guest can be had; one that does not come up is the program's problem
 */
export async function runCaseInLab(
  lawCase: LawCase,
  subject: SubjectDefinition,
  laboratory: Laboratory,
  raceSeed = 0,
): Promise<LabCaseEnd> {
  const { trial = "mapping" } = subject;
  const beside = whyBeside(lawCase, trial);
  if (beside !== undefined) return excluded(beside);
  if (lawCase.executor === "model") return excluded("it looks inside the kernel");
  const misfit = whyNoSuchMachine(lawCase.machine);
  if (misfit !== undefined) return excluded(misfit);
  // What a subject can do is the same every time: a guest need not be asked for a program that is not for it.
  const known = stages.get(subject);
  const why =
    (known === undefined ? undefined : lawCase.excluded?.(known)) ?? laboratory.setUps.whyNoMore(subject);
  if (why !== undefined) return excluded(why);
  const named = (problem: string): string =>
    lawCase.when === "" ? `${subject.name}: ${problem}` : `${subject.name}, ${lawCase.when}: ${problem}`;
  const guest = await orLost(laboratory.guestFor(subject));
  if (guest instanceof GuestLost) {
    return { end: { kind: "run", problems: [named(guest.message)] }, steps: [], guest: "none" };
  }
  const setting = { guest, subject, laboratory, raceSeed };
  const early = laboratory.takeEarly();
  const lines: string[] = [];
  let failure: unknown;
  let isSetUp = true;
  let end: CaseEnd;
  try {
    end = await runOn(lawCase, setting, (line) => lines.push(line));
  } catch (thrown) {
    isSetUp = !(thrown instanceof SetUpFailed);
    failure = thrown instanceof SetUpFailed ? thrown.cause : thrown;
    if (failure instanceof NotObservable) end = { kind: "excluded", why: failure.message };
    else end = { kind: "run", problems: [failureInWords("the lab", failure)] };
  }
  const stuck = guest.lost === undefined ? await whereStuck(guest, askedOfStuck(end, failure)) : [];
  const isReset = guest.lost === undefined && (await reset(setting));
  const heard = await laboratory.listen();
  const isWell = guest.lost === undefined && heard.kernel === "fit" && early.kernel === "fit";
  // What cannot be set up is given a fresh guest.
  const isFit = isReset && isWell && isSetUp;
  const late = undeclared(heard.complaints, subject).filter(
    (complaint) => isFatal(complaint) || !isProvoking(lawCase),
  );
  const complaints = [
    ...undeclared(early.complaints, subject).map(
      ({ lines: said }) => `the kernel complains while the modules are loaded:\n${said.join("\n")}`,
    ),
    ...late.map((complaint) => complaintInWords(complaint, laboratory.before)),
  ];
  laboratory.before = [laboratory.law, lawCase.when].filter((word) => word !== "").join(", ");
  if (!isSetUp) {
    const whys = [failureInWords("the lab", failure), ...late.map(({ what }) => what)];
    laboratory.setUps.failed(subject, whys.join("; "));
  }
  if (end.kind === "excluded" && complaints.length === 0) {
    return { end, steps: [], guest: isFit ? "fit" : "spoilt" };
  }
  const problems = [
    ...(end.kind === "run" ? end.problems : []),
    ...(guest.lost === undefined ? [] : [guest.lost.message]),
    ...complaints,
  ];
  return {
    end: { kind: "run", problems: [...new Set(problems)].map(named) },
    steps: problems.length === 0 ? [] : [...lines, ...stuck],
    guest: isFit ? "fit" : "spoilt",
  };
}

/** What a kernel is asked for before the guest goes on or is given up: of one in which nothing is stuck, nothing. */
function askedOfStuck(end: CaseEnd, failure: unknown): readonly StuckLetter[] {
  if (failure instanceof GuestLost) return failure.cause instanceof ActorGone ? [] : ["l", "w"];
  return end.kind === "run" && end.problems.some((problem) => problem.startsWith("deadlock: ")) ? ["w"] : [];
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

function excluded(why: string): LabCaseEnd {
  return { end: { kind: "excluded", why }, steps: [], guest: "fit" };
}

async function runOn(lawCase: LawCase, setting: LabSetting, note: (line: string) => void): Promise<CaseEnd> {
  const { guest, subject, raceSeed } = setting;
  const abilities = await setUp(setting);
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
    raceSeed,
  });
  const problems = await executor.run((): Steps<void> => recorded.program(stage));
  return { kind: "run", problems };
}

/** @throws SetUpFailed with what was thrown */
async function setUp({ guest, subject, laboratory }: LabSetting): Promise<SubjectAbilities> {
  try {
    await guest.startProcess(KEEPER);
    await laboratory.loadAgain(subject);
    const abilities = await performAlone(guest, KEEPER, subject.setUp());
    laboratory.setUps.worked(subject);
    return abilities;
  } catch (cause) {
    throw new SetUpFailed("the subject could not be set up", { cause });
  }
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
    return alive.length === 0;
  } catch {
    return false;
  }
}
