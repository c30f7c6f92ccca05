import type { PinningPolicy } from "@nopage/core";
import { lazyNopage } from "@nopage/lazy-nopage";
import { noneInterval, noneNotifier } from "@nopage/notifier-mirror";
import { refcount } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { unplugAtEveryTime, wrongAfterUnplug } from "../../src/index.ts";
import { killWorlds } from "../support/kill-worlds.ts";

const plan = { threads: "multi", meanwhile: ["munmap"] } as const;

function cases(policy: PinningPolicy) {
  return [...unplugAtEveryTime(killWorlds(policy, "6.1", lazyNopage), plan)];
}

describe("what is held against a card that is pulled while the buffer is unmapped", () => {
  it.each([noneNotifier, noneInterval])("MUST be nothing at any moment with $name", (policy) => {
    for (const { how, events, outcome } of cases(policy)) {
      expect({ how, wrong: wrongAfterUnplug(policy.supports, "6.1", events, outcome) }).toEqual({
        how,
        wrong: [],
      });
    }
  });

  it("MUST be an answer in bytes to a transfer that could not end by itself", () => {
    const moving = cases(refcount).find(({ outcome }) => outcome.wasMoving && outcome.transfers.length > 0);
    if (moving?.outcome.unpluggedAt === undefined) throw new Error("no pull amid a transfer");
    const { events, outcome } = moving;
    const transfers = [{ endedAt: outcome.unpluggedAt ?? 0, got: 2048 }];
    const judge = ({ supports }: PinningPolicy) =>
      wrongAfterUnplug(supports, "6.1", events, { ...outcome, transfers });
    expect(judge(refcount)).toEqual(["a transfer answered 2048 after the card was gone"]);
    expect(judge(noneNotifier)).toEqual([]);
  });
});
