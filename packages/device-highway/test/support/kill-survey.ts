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

/** How many runs put an event to the test, and the first harm that they came to. */
export interface SeenOfEvent {
  readonly runs: number;
  readonly harm: string | undefined;
}

/** All runs of one policy on machines with one set of rules, in sum. */
export interface KillSurvey {
  readonly runs: number;
  readonly kills: number;
  /** Promises that were not kept, each with the run that showed it. */
  readonly broken: readonly string[];
  /**
   * What was seen of each event, whatever the policy says: in runs in which nothing else happened but events that do no
   * harm alone.
   */
  readonly seen: ReadonlyMap<PinningEvent, SeenOfEvent>;
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
  const broken: string[] = [];
  const trials: Trial[] = [];
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
    trials.push({ events, harm: harm === undefined ? undefined : `${harm} (${where})` });
  };
  const build = killWorlds(policy, rules);
  for (const plan of plans) {
    for (const run of killAtEveryTime(build, plan)) add(run, describePlan(plan));
    for (const run of killAtRandomSteps(build, plan, schedules)) add(run, describePlan(plan));
  }
  return { ...sum, ...most, broken, seen: judge(trials), leaks };
}

interface Trial {
  readonly events: readonly PinningEvent[];
  readonly harm: string | undefined;
}

const allEvents: readonly PinningEvent[] = ["munmap", "fork", "exit"];

function judge(trials: readonly Trial[]): ReadonlyMap<PinningEvent, SeenOfEvent> {
  const alone = allEvents.map(
    (event) => [event, trials.filter(({ events }) => events.join() === event)] as const,
  );
  const harmless = alone
    .filter(([, runs]) => runs.length > 0 && runs.every(({ harm }) => harm === undefined))
    .map(([event]) => event);
  return new Map(
    allEvents.map((event) => {
      const runs = trials.filter(
        ({ events }) =>
          events.includes(event) && events.every((other) => other === event || harmless.includes(other)),
      );
      return [event, { runs: runs.length, harm: runs.find(({ harm }) => harm !== undefined)?.harm }];
    }),
  );
}
