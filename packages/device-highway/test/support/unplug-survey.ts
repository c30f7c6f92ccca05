import type { MappingStrategy, PinningPolicy } from "@nopage/core";
import {
  describePlan,
  type KillPlan,
  type UnplugCase,
  unplugAtEveryTime,
  unplugAtRandomTimes,
  wrongAfterUnplug,
} from "../../src/index.ts";
import { killWorlds } from "./kill-worlds.ts";

/** All runs of one policy and one strategy in which the card is pulled, in sum. */
export interface UnplugSurvey {
  readonly pulls: number;
  /** Pulls while the card moved data. */
  readonly amidTransfer: number;
  /** Runs in which the process was killed at about the same time. */
  readonly kills: number;
  /** Later touches of the mapping that ended in SIGBUS. */
  readonly sigbus: number;
  /** What was wrong, each with the run that showed it. */
  readonly wrong: readonly string[];
}

/** What is tried besides a pull at every time. */
export interface UnplugVariants {
  /** How long after the pull the process is killed, in as many runs more for each time; negative for before. */
  readonly killedAfter: readonly number[];
  /** Random schedules in which the card is pulled at some time. */
  readonly schedules: number;
}

/** Carries out plans: pulled at every time, alone and about when the process is killed, and in random schedules. */
export function surveyUnplugs(
  policy: PinningPolicy,
  strategy: MappingStrategy,
  plans: readonly KillPlan[],
  variants: UnplugVariants,
): UnplugSurvey {
  const wrong: string[] = [];
  const sum = { pulls: 0, amidTransfer: 0, kills: 0, sigbus: 0 };
  const build = killWorlds(policy, "6.1", strategy);
  const add = ({ how, events, outcome }: UnplugCase, plan: string) => {
    if (outcome.unpluggedAt !== undefined) sum.pulls++;
    if (outcome.wasMoving) sum.amidTransfer++;
    if (outcome.wasKilled) sum.kills++;
    if (outcome.lastTouch === "SIGBUS") sum.sigbus++;
    const found = wrongAfterUnplug(policy.supports, "6.1", events, outcome);
    wrong.push(...found.map((what) => `${plan}, ${how}: ${what}`));
  };
  for (const plan of plans) {
    const name = describePlan(plan);
    for (const run of unplugAtEveryTime(build, plan)) add(run, name);
    for (const killedAfter of variants.killedAfter) {
      for (const run of unplugAtEveryTime(build, plan, killedAfter)) add(run, name);
    }
    for (const run of unplugAtRandomTimes(build, plan, variants.schedules)) add(run, name);
  }
  return { ...sum, wrong };
}
