import type { PinningEvent, PinningSupports } from "@nopage/core/contract";
import { harmOf, type KillOutcome } from "./kill-outcome.ts";

/** Which kernel's rules for reserved pages a machine has, as far as a promise depends on it. */
export type RuleSet = "6.1" | "2.6.11" | "2.4";

/** What a policy survives on a machine with these rules. */
export function survivedEvents(supports: PinningSupports, rules: RuleSet): readonly PinningEvent[] {
  return rules === "6.1" ? supports.survives : supports.survivesOnLegacy;
}

/** Whether a policy promises that nothing goes wrong when all of these happen during a transfer. */
export function promisesSafety(
  supports: PinningSupports,
  rules: RuleSet,
  events: readonly PinningEvent[],
): boolean {
  const survived = survivedEvents(supports, rules);
  return events.every((event) => survived.includes(event));
}

/** What a policy promised and did not keep, a phrase each; nothing where it promised nothing. */
export function brokenPromises(
  supports: PinningSupports,
  rules: RuleSet,
  events: readonly PinningEvent[],
  outcome: KillOutcome,
): readonly string[] {
  const broken: string[] = [];
  if (promisesSafety(supports, rules, events)) broken.push(...harmOf(outcome));
  if (outcome.lostData && (supports.coherentAfterFork || !events.includes("fork"))) {
    broken.push("a transfer ended well, but its data did not arrive");
  }
  if (outcome.quarantinedPages > 0 && supports.onDeath !== "quarantined") {
    broken.push(`${outcome.quarantinedPages} pages are in quarantine, which was not announced`);
  }
  return broken;
}
