/** Wrong plugins, drivers and cores, made to be caught by the laws, and the runner that tries them. */
export { allMutants } from "./all-mutants.ts";
export {
  type CaughtMutant,
  concurrentMutants,
  type ExploredMutant,
  type ExploreMutantsOptions,
  explored,
} from "./explore-mutants.ts";
export type { Mutant, MutantKind, Setup } from "./mutant.ts";
export { notReenacted } from "./not-reenacted.ts";
export {
  MUTANT_EXECUTIONS,
  type MutantResult,
  mutantResults,
  type RunMutantsOptions,
  runMutants,
} from "./run-mutants.ts";
