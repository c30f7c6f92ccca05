import { beforeAll, describe, expect, it } from "vitest";
import { killPlans, type RuleSet, runKill, survivedEvents } from "../../src/index.ts";
import { type KillSurvey, surveyKills } from "../support/kill-survey.ts";
import { holdsNothing, killWorlds, policies } from "../support/kill-worlds.ts";

const events = ["munmap", "fork", "exit"] as const;

/** Each event alone in one thread, and all of them among several; the deep project carries out every plan. */
const quickPlans = killPlans.filter(({ threads, meanwhile }) =>
  threads === "single" ? !meanwhile.includes("second-open") : meanwhile.length === 3,
);

const machines = policies.flatMap((policy) =>
  (["6.1", "2.4"] as const)
    // Only the reserved flag means anything else on the old machine.
    .filter((rules) => rules === "6.1" || policy.supports.survives.length === 0)
    .map((rules) => [policy.name, rules, policy] as const),
);

describe.each(machines)(
  "%s, rules of %s: a process that is killed at every moment of a transfer",
  (name, rules, policy) => {
    const { supports } = policy;
    const survived = survivedEvents(supports, rules);
    let survey: KillSurvey;
    beforeAll(() => {
      survey = surveyKills(policy, rules, 4, quickPlans);
    }, 120_000);

    it("MUST be covered: hundreds of kills", () => {
      expect(survey.kills).toBeGreaterThan(150);
      expect(survey.longestDyingNs).toBeGreaterThan(0);
      expect(survey.longestSecondNs).toBeGreaterThan(0);
    });

    it("MUST keep every promise", () => {
      expect(survey.broken).toEqual([]);
    });

    it.each(events.filter((event) => survived.includes(event)))("MUST survive %s, as it says", (event) => {
      expect(survey.seen.get(event)).toMatchObject({ harm: undefined });
      expect(survey.seen.get(event)?.runs).toBeGreaterThan(0);
    });

    it.each(events.filter((event) => !survived.includes(event)))(
      "MUST be seen not to survive %s, as it says",
      (event) => {
        expect(survey.seen.get(event)?.harm, `${name} claims less than it can do`).toBeDefined();
      },
    );

    it("MUST keep the parent's data coherent after a fork exactly if it says so (GP-04, GP-05)", () => {
      const isCoherent = survey.forksThatLostData === 0;
      // Said of today's rules: a kernel of 2.4 shares reserved pages without a copy, and so loses nothing.
      if (rules === "6.1") expect(isCoherent).toBe(supports.coherentAfterFork);
      else expect(isCoherent || !supports.coherentAfterFork).toBe(true);
    });

    it("MUST quarantine exactly if it says so, and leak exactly if it is unsafe", () => {
      expect(survey.mostQuarantined > 0).toBe(supports.onDeath === "quarantined");
      expect(survey.leaks.size > 0).toBe(!survived.includes("exit"));
    });
  },
);

const oldMachines = policies.flatMap((policy) =>
  (["2.6.11", "2.4"] as const).map((rules) => [policy.name, rules, policy] as const),
);

describe("on machines with the old rules for reserved pages", () => {
  // What a fork does on them is left to the deep project.
  const plans = killPlans.filter(
    ({ threads, meanwhile }) => threads === "single" && meanwhile.join() === "munmap",
  );

  it.each(oldMachines)(
    "%s, rules of %s: MUST survive what it says, and be seen not to survive the rest",
    (_name, rules, policy) => {
      const survived = survivedEvents(policy.supports, rules);
      const { seen, broken } = surveyKills(policy, rules, 1, plans);
      expect(broken).toEqual([]);
      for (const event of ["munmap", "exit"] as const) {
        const { runs, harm } = seen.get(event) ?? { runs: 0, harm: undefined };
        expect(runs, event).toBeGreaterThan(0);
        if (survived.includes(event)) expect(harm, event).toBeUndefined();
        else expect(harm, event).toBeDefined();
      }
    },
  );
});

describe("a policy that claims everything and holds nothing", () => {
  const build = killWorlds(holdsNothing, "6.1" satisfies RuleSet);

  it("MUST be caught: the device writes to memory that is free, or another's by now", () => {
    const plan = killPlans.find(({ meanwhile }) => meanwhile.includes("munmap"));
    if (plan === undefined) throw new Error("no such plan");
    const { violations, damage } = runKill(build, plan, undefined);
    expect(violations.map(({ kind }) => kind)).toContain("use-after-free");
    expect(damage.length + violations.length).toBeGreaterThan(1);
  });

  it("MUST be seen to do harm by each event, whatever it claims", () => {
    const plans = killPlans.filter(({ threads, meanwhile }) => threads === "single" && meanwhile.length < 2);
    const { seen, broken } = surveyKills(holdsNothing, "6.1", 2, plans);
    for (const event of events) expect(seen.get(event)?.harm, event).toBeDefined();
    expect(broken.length).toBeGreaterThan(events.length);
  });
});
