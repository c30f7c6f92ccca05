import type { Contender, LawCase, Stage } from "@nopage/testkit/executor";
import { ModelWorld } from "@nopage/testkit/executor";
import { RandomRun, type RandomStep, type StepOutcome } from "@nopage/testkit/random";
import { GuestLost } from "../guest/guest.ts";
import { GEOMETRY } from "../parity/model-run.ts";
import type { Laboratory } from "../run/laboratory.ts";
import { runCaseInLab } from "../run/run-case-in-lab.ts";
import type { SubjectDefinition } from "../subject/lab-subject.ts";

/** Enough that no sequence runs out of memory. */
const RAM_PAGES = 512;

/** Few enough that some sequences want to lock more. */
const LOCK_LIMIT_PAGES = 12;

/** What a sequence of user operations came to. */
export interface SequenceEnd {
  readonly problems: readonly string[];
  readonly outcomes: readonly StepOutcome[];
  /** The areas at its end, lowest first. */
  readonly areas: readonly string[];
}

/** Where the two sides part. */
export interface SequenceDifference {
  /** The step, such as `2` or `2.0`; `areas` for what is left mapped at the end, `end` for how the whole run ended. */
  readonly place: string;
  readonly model: string;
  readonly linux: string;
}

/** A sequence as a program; what it comes to is found in the object that is given. */
function asCase(steps: readonly RandomStep[], took: (run: RandomRun) => void): LawCase {
  return {
    when: "",
    schedule: "sequential",
    about: ["mapping", "mirroring", "pinning"],
    machine: { lockLimitPages: LOCK_LIMIT_PAGES },
    program(stage: Stage) {
      // The pinner beside a mapping is the model's own.
      const run = new RandomRun(stage.trial === "pinning" ? stage : { ...stage, pinner: undefined });
      took(run);
      return run.runSequential(steps);
    },
  };
}

/** Runs a sequence on the model. */
export function sequenceOnModel(steps: readonly RandomStep[], on: Contender): SequenceEnd {
  let run: RandomRun | undefined;
  const world = new ModelWorld(on, {
    geometry: GEOMETRY,
    ramPages: RAM_PAGES,
    lockLimitPages: LOCK_LIMIT_PAGES,
  });
  const { problems } = world.run(asCase(steps, (taken) => (run = taken)));
  return { problems, outcomes: run?.outcomes ?? [], areas: run?.areas ?? [] };
}

/**
 * Runs a sequence in the guest.
 *
 * @throws ModuleRefused, GuestLost, NoGuests when no guest can be had
 */
export async function sequenceOnLinux(
  steps: readonly RandomStep[],
  subject: SubjectDefinition,
  laboratory: Laboratory,
): Promise<SequenceEnd> {
  let run: RandomRun | undefined;
  const { end, guest } = await runCaseInLab(
    asCase(steps, (taken) => (run = taken)),
    subject,
    laboratory,
  );
  if (guest === "spoilt") await laboratory.discard();
  const problems = end.kind === "run" ? end.problems : [end.why];
  if (guest === "none") throw new GuestLost(problems.join("\n"));
  return { problems, outcomes: run?.outcomes ?? [], areas: run?.areas ?? [] };
}

/** Where two runs of a sequence first part; undefined where they never do. */
export function sequenceDifference(model: SequenceEnd, linux: SequenceEnd): SequenceDifference | undefined {
  const length = Math.max(model.outcomes.length, linux.outcomes.length);
  for (let at = 0; at < length; at++) {
    const [there, here] = [model.outcomes[at], linux.outcomes[at]];
    if (there?.place === here?.place && there?.outcome === here?.outcome) continue;
    const place = there?.place ?? here?.place ?? "";
    return { place, model: there?.outcome ?? "nothing", linux: here?.outcome ?? "nothing" };
  }
  const [one, other] = [model.areas.join("\n"), linux.areas.join("\n")];
  if (one !== other) return { place: "areas", model: one, linux: other };
  const [broken, here] = [model.problems.join("\n"), linux.problems.join("\n")];
  return broken === "" && here === "" ? undefined : { place: "end", model: broken, linux: here };
}
