import { type AnyLaw, type LawStanding, selectLaws } from "@nopage/testkit/conform";
import type { CaseEnd } from "@nopage/testkit/executor";
import { standingOf } from "@nopage/testkit/executor";
import type { ArchiveEntry } from "../guest/cpio.ts";
import { Guest } from "../guest/guest.ts";
import { findKernel, type StockKernel } from "../guest/stock-kernel.ts";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { runCaseInLab } from "./run-case-in-lab.ts";

/** Runs of a racy program: two real CPUs find their own orders. */
const RACY_RUNS = 5;

/** A program that broke its law, step by step. */
export interface BrokenProgram {
  /** Which of the law's programs; empty where it has only one. */
  readonly when: string;
  readonly problems: readonly string[];
  readonly steps: readonly string[];
}

/** How a law stands on a subject of the lab. */
export interface LabResult extends Pick<LawStanding, "status" | "reason"> {
  readonly subject: string;
  readonly law: string;
  readonly broken: readonly BrokenProgram[];
}

/** What is run in the lab; all laws where left out. */
export interface LabOptions {
  readonly laws?: readonly string[];
  /** Runs of each racy program; 5 where left out. */
  readonly racyRuns?: number;
  /** Files that the guest has beside those that the subject asks for. */
  readonly files?: readonly ArchiveEntry[];
}

/** A guest that is booted when it is needed, and anew when it has been spoilt. */
class Bench {
  readonly kernel: StockKernel;
  readonly #subject: SubjectDefinition;
  readonly #files: readonly ArchiveEntry[];
  #guest: Guest | undefined;

  constructor(subject: SubjectDefinition, files: readonly ArchiveEntry[]) {
    const flavour = subject.kernel ?? "cloud";
    const kernel = findKernel(flavour);
    if (kernel === undefined) throw new Error(`there is no ${flavour} kernel`);
    this.kernel = kernel;
    this.#subject = subject;
    this.#files = files;
  }

  async guest(): Promise<Guest> {
    const { kernelWords, devices } = this.#subject;
    this.#guest ??= await Guest.boot({
      kernel: this.kernel,
      files: [...(this.#subject.files?.(this.kernel) ?? []), ...this.#files],
      ...(devices !== undefined && { devices }),
      ...(kernelWords !== undefined && { kernelWords }),
    });
    return this.#guest;
  }

  async clear(): Promise<void> {
    const guest = this.#guest;
    this.#guest = undefined;
    await guest?.end();
  }
}

/**
 * Holds a subject to the laws on a real kernel, one law after the other. One boot serves all of them; a guest that a program
 * has spoilt is replaced.
 */
export async function* labResultsOf(
  subject: SubjectDefinition,
  options: LabOptions = {},
): AsyncGenerator<LabResult, void, void> {
  const bench = new Bench(subject, options.files ?? []);
  try {
    for (const law of selectLaws(options.laws)) {
      yield await runLawInLab(law, subject, bench, options.racyRuns ?? RACY_RUNS);
    }
  } finally {
    await bench.clear();
  }
}

async function runLawInLab(
  law: AnyLaw,
  subject: SubjectDefinition,
  bench: Bench,
  racyRuns: number,
): Promise<LabResult> {
  const about = { subject: subject.name, law: law.id };
  if (law.level === "untested") return { ...about, status: "untested", reason: law.reason, broken: [] };
  if (law.level === "model-only") {
    return { ...about, status: "skip", reason: "user space cannot see it", broken: [] };
  }
  const ends: CaseEnd[] = [];
  const broken: BrokenProgram[] = [];
  for (const lawCase of law.cases) {
    const runs = lawCase.schedule === "racy" ? racyRuns : 1;
    for (let run = 0; run < runs; run++) {
      const { end, steps, guest } = await runCaseInLab(lawCase, { guest: await bench.guest(), subject });
      if (guest === "spoilt") await bench.clear();
      ends.push(end);
      if (end.kind === "excluded") break;
      if (end.problems.length === 0) continue;
      broken.push({ when: lawCase.when, problems: end.problems, steps });
      break;
    }
  }
  return { ...about, ...standingOf(ends), broken };
}
