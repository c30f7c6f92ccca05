import type { Plugin } from "@nopage/testkit/executor";
import { type RandomStep, sequentialSteps } from "@nopage/testkit/random";
import fc from "fast-check";
import { modelSideOf } from "../parity/model-side.ts";
import { inParallel } from "../run/in-parallel.ts";
import { Laboratory } from "../run/laboratory.ts";
import { complaintsAfterwards } from "../run/subject-end.ts";
import type { GuestModule, SubjectDefinition } from "../subject/lab-subject.ts";
import {
  type SequenceDifference,
  type SequenceEnd,
  sequenceDifference,
  sequenceOnLinux,
  sequenceOnModel,
} from "./compare-sequence.ts";
import { knownReason } from "./known-difference.ts";

/** Steps of a sequence, at most: half of that in the middle, and those of children besides. */
const STEPS = 36;

/** What random sequences are run on, and how many. */
export interface RandomOptions {
  /** Sequences, those of all subjects together. */
  readonly count: number;
  readonly seed: number;
  /** What stands on the model's side. */
  readonly plugins: readonly Plugin[];
  readonly modules?: readonly GuestModule[];
  /** Guests that are at work at the same time; 1 where left out. */
  readonly jobs?: number;
  /** Ends the guests, and with them the run: its reason is thrown. */
  readonly stop?: AbortSignal;
  /** Told before each sequence. */
  announce?(subject: string): void;
}

/** The shortest sequence that was found on which the model and Linux do not agree. */
export interface RandomFinding {
  readonly steps: readonly RandomStep[];
  readonly difference: SequenceDifference;
  readonly model: SequenceEnd;
  readonly linux: SequenceEnd;
}

/** What came of one subject's sequences. */
export interface RandomResult {
  readonly subject: string;
  /** Sequences that were run, without those that shorten a finding. */
  readonly sequences: number;
  /** Why the two sides part in some of them, where that is known: a reason for each. */
  readonly explained: readonly string[];
  /** Undefined where both sides agreed on all of the others. */
  readonly finding: RandomFinding | undefined;
}

/**
 * Runs random sequences of user operations on the model and in the guest, and compares what each operation came to, and what
 * is mapped at the end. The first difference on a subject is shortened as far as it goes, and ends the subject's turn. Subjects
 * that the model does not have are left out.
 *
 * @throws ModuleRefused when a module cannot be loaded
 * @throws GuestLost, NoGuests when no guest can be booted
 */
export async function* randomResultsOf(
  subjects: readonly SubjectDefinition[],
  options: RandomOptions,
): AsyncGenerator<RandomResult, void, void> {
  const known = subjects.filter((subject) => modelSideOf(subject, options.plugins) !== undefined);
  const each = Math.ceil(options.count / Math.max(1, known.length));
  yield* inParallel(known, options.jobs ?? 1, async function* (next) {
    const laboratory = new Laboratory(options.modules, options.stop);
    try {
      for (let subject = next(); subject !== undefined; subject = next()) {
        yield await compareSequences(subject, each, laboratory, options);
      }
    } finally {
      await laboratory.discard();
    }
  });
}

async function compareSequences(
  subject: SubjectDefinition,
  count: number,
  laboratory: Laboratory,
  { seed, plugins, announce }: RandomOptions,
): Promise<RandomResult> {
  const on = modelSideOf(subject, plugins);
  if (on === undefined) throw new Error(`the model has no ${subject.name}`);
  let finding: RandomFinding | undefined;
  const explained: string[] = [];
  const agrees = fc.asyncProperty(sequentialSteps({ steps: STEPS, pages: subject.pages }), async (steps) => {
    announce?.(subject.name);
    const model = sequenceOnModel(steps, on);
    const linux = await sequenceOnLinux(steps, subject, laboratory);
    const difference = sequenceDifference(model, linux);
    if (difference === undefined) return true;
    const reason = knownReason(subject.name, model, linux);
    if (reason !== undefined) {
      explained.push(reason);
      return true;
    }
    // The last that differs is the shortest.
    finding = { steps, difference, model, linux };
    return false;
  });
  const { numRuns, errorInstance } = await fc.check(agrees, {
    seed: seedFor(subject.name, seed),
    numRuns: count,
  });
  // Without a sequence that differs it is for want of a guest, or of a module, that it has failed.
  if (finding === undefined && errorInstance != null) throw errorInstance;
  const problems = await complaintsAfterwards(subject, laboratory);
  if (problems.length > 0) finding ??= foundAfterwards(problems);
  return { subject: subject.name, sequences: numRuns, explained, finding };
}

/** That the kernel complains once all sequences are over. */
function foundAfterwards(problems: readonly string[]): RandomFinding {
  const difference = { place: "end", model: "", linux: problems.join("\n") };
  const model = { problems: [], outcomes: [], areas: [] };
  return { steps: [], difference, model, linux: { ...model, problems } };
}

/** Every subject has sequences of its own, the same again with the same seed, whichever others there are. */
function seedFor(name: string, seed: number): number {
  return [...name].reduce((mixed, letter) => (mixed * 31 + letter.charCodeAt(0)) % 0x7fff_ffff, seed);
}
