import { describe, expect, it } from "vitest";
import { killPlans } from "../../src/index.ts";
import { policies } from "../support/kill-worlds.ts";
import { surveyUnplugs } from "../support/unplug-survey.ts";
import { strategies } from "../support/worlds.ts";

const SCHEDULES = 5;

const pairs = policies.flatMap((policy) =>
  strategies.map((strategy) => [policy.name, strategy.name, policy, strategy] as const),
);

/** A third of the plans for each pair, another one for the next: each policy and each strategy meets every plan. */
const plansOf = (pair: number) => killPlans.filter((_plan, index) => index % 3 === pair % 3);

describe("a card that is pulled out at every moment of a transfer, with whatever else goes on", () => {
  it.each(pairs.map((pair, index) => [...pair, plansOf(index)] as const))(
    "%s with %s: MUST wake everybody and leave nothing behind",
    (_policy, _name, policy, strategy, plans) => {
      const survey = surveyUnplugs(policy, strategy, plans, {
        killedAfter: [0],
        schedules: SCHEDULES,
      });
      expect(survey.wrong).toEqual([]);
      // Where a munmap ends the transfer there are fewer moments to pull the card at.
      expect(survey.amidTransfer).toBeGreaterThan(50 * plans.length);
    },
  );
});
