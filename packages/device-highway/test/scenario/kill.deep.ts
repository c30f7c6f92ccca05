import type { PinningEvent } from "@nopage/core";
import { expect, it } from "vitest";
import { killPlans } from "../../src/index.ts";
import { surveyKills } from "../support/kill-survey.ts";
import { policies } from "../support/kill-worlds.ts";

const SCHEDULES = 50;

it("MUST keep every promise under hundreds of random schedules a policy; prints the table of the README", () => {
  const lines = [
    "| policy | rules | kills | munmap | fork | exit | dying process waits | others wait | quarantine | left over |",
  ];
  lines.push("|---|---|---|---|---|---|---|---|---|---|");
  for (const policy of policies) {
    for (const rules of ["6.1", "2.4"] as const) {
      const survey = surveyKills(policy, rules, SCHEDULES, killPlans);
      expect(survey.broken).toEqual([]);
      const of = (event: PinningEvent) => {
        const { runs, harm } = survey.seen.get(event) ?? { runs: 0, harm: undefined };
        expect(runs).toBeGreaterThan(0);
        return harm === undefined ? "safe" : "**unsafe**";
      };
      lines.push(
        [
          "",
          policy.name,
          rules,
          survey.kills,
          of("munmap"),
          of("fork"),
          of("exit"),
          `${survey.longestDyingNs} ns`,
          `${survey.longestSecondNs} ns`,
          survey.mostQuarantined === 0 ? "-" : `${survey.mostQuarantined} pages`,
          [...survey.leaks].join(", ") || "nothing",
          "",
        ]
          .join(" | ")
          .trim(),
      );
    }
  }
  process.stdout.write(`${lines.join("\n")}\n`);
});
