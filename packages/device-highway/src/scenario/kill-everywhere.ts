import { randomChooser } from "@nopage/core";
import type { KillOutcome } from "./kill-outcome.ts";
import { eventsOf, type KillPlan } from "./kill-plan.ts";
import { type BuildWorld, observe, runKill } from "./run-kill.ts";

/** One run of many. */
export interface KillCase {
  /** How it can be run again. */
  readonly how: string;
  readonly events: ReturnType<typeof eventsOf>;
  readonly outcome: KillOutcome;
}

/**
 * Kills the process at every moment at which anything happens, and just before, one run each; every task runs until it
 * sleeps. The first run is undisturbed.
 */
export function* killAtEveryTime(build: BuildWorld, plan: KillPlan): Generator<KillCase> {
  const { times, outcome } = observe(build, plan);
  yield { how: "undisturbed", events: eventsOf(plan, false), outcome };
  const moments = new Set(times.flatMap((time) => [Math.max(0, time - 1), time]));
  for (const at of moments) yield toCase(plan, `killed at ${at} ns`, runKill(build, plan, { at }));
}

/**
 * Kills the process before a step of each of `count` random schedules, the steps being spread evenly over the run: between
 * any two accesses to shared state, that is.
 */
export function* killAtRandomSteps(build: BuildWorld, plan: KillPlan, count: number): Generator<KillCase> {
  const { steps } = observe(build, plan, randomChooser(0));
  for (let seed = 1; seed <= count; seed++) {
    const step = Math.floor(((seed * 0.618_033_988_75) % 1) * steps);
    const outcome = runKill(build, plan, { step }, randomChooser(seed));
    yield toCase(plan, `seed ${seed}, killed before step ${step}`, outcome);
  }
}

function toCase(plan: KillPlan, how: string, outcome: KillOutcome): KillCase {
  return { how, events: eventsOf(plan, outcome.killedAt !== undefined), outcome };
}
