/** Executing the laws' programs elsewhere than on the model: the language of user operations, the laws, what a run comes to. */
export { type RecordedStep, recordedCase } from "./explain/recorded-program.ts";
export { exploreLaw } from "./explore/explore-law.ts";
export type { Law, LawCase, Stage, Trial } from "./laws/law.ts";
export { markOf } from "./mark.ts";
export { type Contender, contendersOf, type Plugin } from "./model/contender.ts";
export { failureInWords, ModelWorld } from "./model/model-world.ts";
export { inWords, LawBroken, mustBe, mustSucceed } from "./program/expect.ts";
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
