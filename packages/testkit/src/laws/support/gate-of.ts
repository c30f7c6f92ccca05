import { LawBroken } from "../../program/expect.ts";
import type { Subject, SubjectGate } from "../../subject/subject.ts";
import type { Stage } from "../law.ts";

/** Why a law does not apply that needs somebody to wait at the gate. */
export function waitsAtNoGate({ subject: { supports, gate } }: Stage): string | undefined {
  return supports.whileRevoked === "wait" && gate !== undefined ? undefined : "nobody waits at its gate";
}

/** The gate of a subject that has one; cases for others exclude themselves. */
export function gateOf({ name, gate }: Subject): SubjectGate {
  if (gate === undefined) throw new LawBroken(`${name} has no gate`);
  return gate;
}
