import type { Steps } from "../../program/operation.ts";
import type { FallibleHook, Subject } from "../../subject/subject.ts";
import type { Stage } from "../law.ts";

/** Why a law that has a hook fail does not apply. */
export function cannotFail({ subject }: Stage): string | undefined {
  return subject.failNext === undefined ? "its hooks cannot be made to fail" : undefined;
}

/** Has a hook of the subject's driver fail the next time that it is asked. */
export function* failNext({ failNext: fail }: Subject, hook: FallibleHook, errno: number): Steps<void> {
  if (fail !== undefined) yield* fail(hook, errno);
}
