import { describe, expect, it } from "vitest";
import { killPlans } from "../../src/index.ts";
import { policies } from "../support/kill-worlds.ts";
import { surveyUnplugs } from "../support/unplug-survey.ts";
import { strategies } from "../support/worlds.ts";

const SCHEDULES = 5;

const pairs = policies.flatMap((policy) =>
  strategies.map((strategy) => [policy.name, strategy.name, policy, strategy] as const),
);

describe("a card that is pulled out at every moment of a transfer, with whatever else goes on", () => {
  it.each(pairs)(
    "%s with %s: MUST wake everybody and leave nothing behind",
    (_policy, _name, policy, strategy) => {
      const survey = surveyUnplugs(policy, strategy, killPlans, {
        killedAfter: [0],
        schedules: SCHEDULES,
      });
      expect(survey.wrong).toEqual([]);
      expect(survey.amidTransfer).toBeGreaterThan(500);
    },
  );
});
