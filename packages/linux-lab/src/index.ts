// The public face of @nopage/linux-lab is exported from here.
// What a subject is written with.
export {
  markOf,
  mustSucceed,
  type Pinner,
  type Steps,
  type SubjectSupports,
  user,
} from "@nopage/testkit/executor";

export { type CallAnswer, type CallArgument, lab } from "./execute/lab-calls.ts";
export { LabExecutor, type LabRunOptions, NotObservable } from "./execute/lab-executor.ts";
export type { LabTimes } from "./execute/lab-times.ts";
export type { ArchiveEntry } from "./guest/cpio.ts";
export { type AgentState, type Gone, Guest, GuestLost, type GuestPlan } from "./guest/guest.ts";
export { type Complaint, complaintsIn } from "./guest/kernel-log.ts";
export { type ModuleFile, readModule } from "./guest/module-file.ts";
export {
  findKernel,
  type KernelFlavour,
  moduleName,
  type StockKernel,
  stockModules,
} from "./guest/stock-kernel.ts";
export { modelSideOf } from "./parity/model-side.ts";
export {
  type DisagreeingProgram,
  MUST_HOLD,
  type ParityResult,
  type ParityStatus,
} from "./parity/parity-result.ts";
export type { Race, RaceOutcome } from "./parity/race.ts";
export { type ParityOptions, parityResultsOf } from "./parity/run-parity.ts";
export type { SequenceDifference, SequenceEnd } from "./random/compare-sequence.ts";
export {
  type RandomFinding,
  type RandomOptions,
  type RandomResult,
  randomResultsOf,
} from "./random/run-random.ts";
export { labRequirements, type Requirement, whyNoLab } from "./requirements.ts";
export { kernelOf, NoGuests } from "./run/laboratory.ts";
export { ModuleRefused } from "./run/load-modules.ts";
export type { LabOptions } from "./run/run-lab.ts";
export { builtInSubjects } from "./subject/built-in-subjects.ts";
export {
  defineSubject,
  type Explanation,
  type GuestModule,
  mapWhole,
  type SubjectAbilities,
  type SubjectDefinition,
} from "./subject/lab-subject.ts";
export { memfd } from "./subject/memfd.ts";
export type { Said } from "./subject/said.ts";
export { twins } from "./subjects/twins.ts";
