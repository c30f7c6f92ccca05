import type { PinningEvent, PinningPolicy } from "@nopage/core";
import {
  brokenPromises,
  describePlan,
  harmOf,
  type KillCase,
  type KillPlan,
  killAtEveryTime,
  killAtRandomSteps,
  type RuleSet,
} from "../../src/index.ts";
import { killWorlds } from "./kill-worlds.ts";

/** All runs of one policy on machines with one set of rules, in sum. */
export interface KillSurvey {
  readonly runs: number;
  readonly kills: number;
  /** Promises that were not kept, each with the run that showed it. */
  readonly broken: readonly string[];
  /** What did harm when nothing else happened that could have, by event: the first harm found. */
  readonly harmBy: ReadonlyMap<PinningEvent, string>;
  readonly forksThatLostData: number;
  readonly longestDyingNs: number;
  readonly longestSecondNs: number;
  readonly mostQuarantined: number;
  readonly leaks: ReadonlySet<string>;
}

/** Carries out plans: killed at every time, and at a step of each of `schedules` random schedules. */
export function surveyKills(
  policy: PinningPolicy,
  rules: RuleSet,
  schedules: number,
  plans: readonly KillPlan[],
): KillSurvey {
  const { supports } = policy;
  const survived = rules === "6.1" ? supports.survives : supports.survivesOnLegacy;
  const broken: string[] = [];
  const harmBy = new Map<PinningEvent, string>();
  const leaks = new Set<string>();
  const sum = { runs: 0, kills: 0, forksThatLostData: 0 };
  const most = { longestDyingNs: 0, longestSecondNs: 0, mostQuarantined: 0 };
  const add = ({ how, events, outcome }: KillCase, plan: string) => {
    const where = `${plan}, ${how}`;
    sum.runs++;
    if (outcome.killedAt !== undefined) sum.kills++;
    if (outcome.lostData && events.includes("fork")) sum.forksThatLostData++;
    most.longestDyingNs = Math.max(most.longestDyingNs, outcome.dyingNs);
    most.longestSecondNs = Math.max(most.longestSecondNs, outcome.secondNs ?? 0);
    most.mostQuarantined = Math.max(most.mostQuarantined, outcome.quarantinedPages);
    for (const leak of outcome.leaks) leaks.add(leak);
    for (const promise of brokenPromises(supports, rules, events, outcome))
      broken.push(`${where}: ${promise}`);
    const [harm] = harmOf(outcome);
    const culprits = events.filter((event) => !survived.includes(event));
    if (harm !== undefined && culprits.length === 1 && !harmBy.has(culprits[0])) {
      harmBy.set(culprits[0], `${harm} (${where})`);
    }
  };
  const build = killWorlds(policy, rules);
  for (const plan of plans) {
    for (const run of killAtEveryTime(build, plan)) add(run, describePlan(plan));
    for (const run of killAtRandomSteps(build, plan, schedules)) add(run, describePlan(plan));
  }
  return { ...sum, ...most, broken, harmBy, leaks };
}
