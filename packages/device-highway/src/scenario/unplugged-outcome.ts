import {
  ENODEV,
  errnoName,
  type PinningEvent,
  type PinningSupports,
  type VirtualNs,
} from "@nopage/core/contract";
import { harmOf, type KillOutcome } from "./kill-outcome.ts";
import { promisesSafety, type RuleSet } from "./kill-promise.ts";

/** How one transfer of the process went. */
export interface TransferResult {
  /** When the call that waited for it came back. */
  readonly endedAt: VirtualNs;
  /** What it answered: bytes, or a negated errno. */
  readonly got: number;
}

/** What became of a process whose card was pulled out while it acquired, and of everybody around it: plain data. */
export interface UnpluggedOutcome
  extends Pick<
    KillOutcome,
    | "watcherNs"
    | "damage"
    | "lostData"
    | "bytes"
    | "aborted"
    | "quarantinedPages"
    | "leaks"
    | "violations"
    | "stuck"
  > {
  /** When the card was pulled; undefined when the process had done its work, or was gone, by then. */
  readonly unpluggedAt: VirtualNs | undefined;
  /** From then until the driver had let go of the card; undefined when it never did. */
  readonly removalNs: VirtualNs | undefined;
  /** The card was moving data at that moment. */
  readonly wasMoving: boolean;
  readonly wasKilled: boolean;
  readonly transfers: readonly TransferResult[];
  /** What the process met that touched its mapping once more in the end: a value or a signal; undefined when it did not. */
  readonly lastTouch: string | undefined;
  /** Signals other than SIGBUS that its threads met at the mapping. */
  readonly strangeTraps: readonly string[];
  /** Breaches of the card's rules. */
  readonly breaches: number;
}

/**
 * Everything that a pulled card must not do to anybody and did, a phrase each. What a policy does not promise to survive
 * is not held against it; threads that never come to an end, calls that answer as if the card were there, and mappings of
 * it that can still be touched are, whatever the policy.
 */
export function wrongAfterUnplug(
  supports: PinningSupports,
  rules: RuleSet,
  events: readonly PinningEvent[],
  outcome: UnpluggedOutcome,
): readonly string[] {
  const { unpluggedAt, removalNs, lastTouch, quarantinedPages } = outcome;
  const wrong: string[] = [];
  if (unpluggedAt !== undefined) {
    if (removalNs === undefined) wrong.push("the driver never let go of the card");
    // Where nothing is held, the munmap ends the transfer at the card's next burst, and that may be the moment of the pull.
    const mayEndByItself = supports.holdsBy === "notifier" && events.includes("munmap");
    wrong.push(...wrongResults(outcome, unpluggedAt, mayEndByItself));
    if (lastTouch !== undefined && lastTouch !== "SIGBUS") wrong.push(`a later touch met ${lastTouch}`);
    if (quarantinedPages > 0) wrong.push(`${quarantinedPages} pages stay in quarantine without a device`);
  }
  for (const signal of outcome.strangeTraps) wrong.push(`a touch of the mapping met ${signal}`);
  if (outcome.breaches > 0) wrong.push(`the card's rules were broken ${outcome.breaches} times`);
  if (promisesSafety(supports, rules, events)) wrong.push(...harmOf(outcome));
  else wrong.push(...outcome.stuck.map((what) => `never ended: ${what}`));
  return wrong;
}

/** What a transfer ended with that it should not have. */
function wrongResults(
  { transfers, wasMoving }: UnpluggedOutcome,
  unpluggedAt: VirtualNs,
  mayEndByItself: boolean,
): readonly string[] {
  const later = transfers.filter(({ endedAt }) => endedAt >= unpluggedAt);
  const wrong = later
    .filter(({ got }) => got < 0 && got !== -ENODEV)
    .map(({ got }) => `a transfer ended with -${errnoName(got)} instead of -ENODEV`);
  // The transfer at hand may have been over but for its last steps; one that moved data was not, and none comes after it.
  const [first, ...others] = later;
  const wasOver = !wasMoving || (mayEndByItself && first?.endedAt === unpluggedAt);
  const cut = wasOver ? others : later;
  return [
    ...wrong,
    ...cut
      .filter(({ got }) => got >= 0)
      .map(({ got }) => `a transfer answered ${got} after the card was gone`),
  ];
}
