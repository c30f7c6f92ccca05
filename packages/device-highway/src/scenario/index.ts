export { DeathWatch, highwayOf, type KillWorld } from "./death-watch.ts";
export { killAcquisition } from "./kill-acquisition.ts";
export { type KillCase, killAtEveryTime, killAtRandomSteps } from "./kill-everywhere.ts";
export { harmOf, type KillOutcome } from "./kill-outcome.ts";
export { describePlan, eventsOf, type KillPlan, killPlans } from "./kill-plan.ts";
export { brokenPromises, promisesSafety, type RuleSet, survivedEvents } from "./kill-promise.ts";
export type { KillTime } from "./killing.ts";
export { type BuildWorld, observe, runKill } from "./run-kill.ts";
export { unplugAcquisition } from "./unplug-acquisition.ts";
export {
  runUnplug,
  type UnplugCase,
  type UnplugTime,
  unplugAtEveryTime,
  unplugAtRandomTimes,
} from "./unplug-everywhere.ts";
export { brokenAtUnplug, type UnplugOutcome } from "./unplug-outcome.ts";
export { type TransferResult, type UnpluggedOutcome, wrongAfterUnplug } from "./unplugged-outcome.ts";
