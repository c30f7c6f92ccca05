/** Executing the laws' programs elsewhere than on the model: the language of user operations, the laws, what a run comes to. */
export { recordedCase } from "./explain/recorded-program.ts";
export type { Law, LawCase, Stage, Trial } from "./laws/law.ts";
export { markOf } from "./mark.ts";
export { failureInWords } from "./model/model-world.ts";
export { LawBroken, mustBe, mustSucceed } from "./program/expect.ts";
export type {
  Actor,
  ActorState,
  Body,
  OperationName,
  OperationTypes,
  Steps,
  UserOperation,
} from "./program/operation.ts";
export { user } from "./program/user.ts";
export { type CaseEnd, whyBeside } from "./run/run-case.ts";
export { standingOf } from "./run/run-law.ts";
export type { Pinner } from "./subject/pinner.ts";
export type { Subject, SubjectGate, SubjectMapping, SubjectSupports } from "./subject/subject.ts";
