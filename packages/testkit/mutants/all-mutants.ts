import { countMutants } from "./core/count-mutants.ts";
import { holdMutants } from "./core/hold-mutants.ts";
import { insertionMutants } from "./core/insertion-mutants.ts";
import { mapCallMutants } from "./core/map-call-mutants.ts";
import { moveCallMutants } from "./core/move-call-mutants.ts";
import { notifierMutants } from "./core/notifier-mutants.ts";
import { ordinaryMemoryMutants } from "./core/ordinary-memory-mutants.ts";
import { outcomeMutants } from "./core/outcome-mutants.ts";
import { removalMutants } from "./core/removal-mutants.ts";
import { threadCallMutants } from "./core/thread-call-mutants.ts";
import { endingMutants } from "./driver/ending-mutants.ts";
import { mmapMutants } from "./driver/mmap-mutants.ts";
import { quiesceMutants } from "./driver/quiesce-mutants.ts";
import { areaMutants } from "./mapping/area-mutants.ts";
import { faultMutants } from "./mapping/fault-mutants.ts";
import { frameMutants } from "./mapping/frame-mutants.ts";
import { mirrorMutants } from "./mirror/mirror-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { pinningMutants } from "./pinning/pinning-mutants.ts";

/** Every mutant, family by family. */
export const allMutants: readonly Mutant[] = [
  ...faultMutants,
  ...frameMutants,
  ...areaMutants,
  ...quiesceMutants,
  ...endingMutants,
  ...mmapMutants,
  ...pinningMutants,
  ...mirrorMutants,
  ...mapCallMutants,
  ...moveCallMutants,
  ...ordinaryMemoryMutants,
  ...threadCallMutants,
  ...outcomeMutants,
  ...insertionMutants,
  ...countMutants,
  ...removalMutants,
  ...holdMutants,
  ...notifierMutants,
];
