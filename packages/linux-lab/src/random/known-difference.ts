import type { StepOutcome } from "@nopage/testkit/random";
import type { SequenceEnd } from "./compare-sequence.ts";

/** Why the model and Linux part in a sequence, where neither is to be changed. */
interface KnownDifference {
  /** The strategy of the subjects on which it is seen. */
  readonly strategy: string;
  readonly reason: string;
  /** Told by the step at which they part, as it was on Linux, and those before it. */
  is(parting: StepOutcome, before: readonly StepOutcome[]): boolean;
}

const known: readonly KnownDifference[] = [
  {
    strategy: "eager-remap",
    reason:
      "6.1 does not fork a process whose private mapping of bare frames has had its first page copied: arch/x86/mm/pat/memtype.c track_pfn_copy looks for the frame of the first page, finds a private one and says EINVAL (mended in 6.14)",
    is: ({ step, outcome }, before) =>
      outcome === "-ENOMEM" &&
      (step.step === "fork" || step.step === "while-revoked") &&
      before.some((earlier) => isPrivateObject(earlier)),
  },
];

/** The reason why two runs of a sequence first part where they do; undefined where none is known. */
export function knownReason(subject: string, model: SequenceEnd, linux: SequenceEnd): string | undefined {
  const at = linux.outcomes.findIndex(({ place, outcome }, index) => {
    const there = model.outcomes[index];
    return there?.place !== place || there.outcome !== outcome;
  });
  const parting = linux.outcomes[at];
  if (parting === undefined) return undefined;
  const [strategy] = subject.split(".");
  const before = linux.outcomes.slice(0, at);
  return known.find((one) => one.strategy === strategy && one.is(parting, before))?.reason;
}

function isPrivateObject({ step, outcome }: StepOutcome): boolean {
  const isMapping = step.step === "map" || step.step === "map-oddly";
  return isMapping && step.thing === "object" && step.sharing === "private" && !outcome.startsWith("-");
}
