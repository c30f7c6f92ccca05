// The public face of @nopage/testkit is exported from here.
export { entriesOf } from "./entries-of.ts";
export { replaySaved, type SavedRun, savedRun } from "./explore/counterexample.ts";
export type { DividedPlan } from "./explore/divide/divided-plan.ts";
export type { Division } from "./explore/divide/division.ts";
export {
  type ExplorationInParts,
  type ExploreInPartsOptions,
  exploreLawInParts,
  LawParts,
  type LawProgramName,
  nameOfProgram,
  type PartsProgress,
  programNamed,
} from "./explore/divide/explore-law-in-parts.ts";
export type { PartAnswer, PartKind, PartTask } from "./explore/divide/part-kinds.ts";
export type { RoundsData } from "./explore/divide/rounds.ts";
export {
  type ExploreLawOptions,
  exploreLaw,
  type LawExploration,
} from "./explore/explore-law.ts";
export type { Counterexample } from "./explore/judged-runs.ts";
export type { LeftOut } from "./explore/left-out.ts";
export type { StateChange, StateKind } from "./explore/machine-state.ts";
export { type Minimised, minimise } from "./explore/minimise.ts";
export {
  type ExploreProgramOptions,
  exploreProgram,
  type ProgramExploration,
  type ProgramFailure,
} from "./explore/program/explore-program.ts";
export type {
  PlainBuilder,
  PlainLock,
  PlainPoint,
  PlainProgram,
  PlainThread,
  SharedCounter,
  SharedVariable,
} from "./explore/program/plain-program.ts";
export { type RacyProgram, racyProgramsOf } from "./explore/racy-programs.ts";
export {
  type LawReplay,
  type LawSetting,
  type RecordedStep,
  type ReplayedStep,
  replayLaw,
  ScheduleMisfit,
  settingOf,
} from "./explore/replay-law.ts";
export { NotTheSameProgram } from "./explore/search.ts";
export type { SearchPlan } from "./explore/search-plan.ts";
export {
  type AllocationTrial,
  type FallibleOperation,
  failEveryAllocation,
  type Inject,
  type Shortage,
} from "./fail-every-allocation.ts";
export { type FlippedClaim, flippedClaims } from "./flipped-claims.ts";
export type { LawCase } from "./laws/law.ts";
export { markOf } from "./mark.ts";
export { claimMarkedWindow, type MarkedWindow } from "./marked-window.ts";
export { type Contender, contendersOf } from "./model/contender.ts";
export { reluctantChooser } from "./reluctant-chooser.ts";
export { runPrograms } from "./run-programs.ts";
export { type ShownMemory, showMemory } from "./shown-memory.ts";
export { type Stock, takeStock } from "./stock.ts";
export {
  createTestDevice,
  mapTestDevice,
  type TestDevice,
  type TestDeviceShape,
  type TestMapping,
} from "./test-device.ts";
export { createTestWorld, type TestWorld, type TestWorldShape } from "./test-world.ts";
export { raceTransfer, type TransferRace } from "./transfer-race.ts";
