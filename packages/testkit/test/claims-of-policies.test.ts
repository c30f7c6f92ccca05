import type { DeviceMirror, PinningPolicy, PinningSupports } from "@nopage/core";
import { intervalMirror, noneNotifier, notifierMirror } from "@nopage/notifier-mirror";
import { ghostMm, longterm, quarantine, refcount, reserved } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { runLaws } from "#src/run/run-laws";

const events = ["munmap", "fork", "exit"] as const;
const deaths = ["kept-until-unpin", "quarantined", "device-stopped-first", "unsafe"] as const;

/** Each claim of a policy turned round in turn. */
function lies({ supports }: PinningPolicy): readonly Partial<PinningSupports>[] {
  const turned = (field: "survives" | "survivesOnLegacy") =>
    events.map((event) => {
      const claimed = supports[field];
      const others = claimed.filter((other) => other !== event);
      return { [field]: claimed.includes(event) ? others : [...claimed, event] };
    });
  return [
    ...turned("survives"),
    ...turned("survivesOnLegacy"),
    { coherentAfterFork: !supports.coherentAfterFork },
    { charged: !supports.charged },
    { holdsBy: supports.holdsBy === "notifier" ? "pin" : "notifier" },
    ...deaths.filter((death) => death !== supports.onDeath).map((onDeath) => ({ onDeath })),
  ];
}

describe.each([ghostMm, longterm, quarantine, refcount, reserved, noneNotifier])("$name", (policy) => {
  it.each(lies(policy))("a policy that claims %j MUST break a law", (lie) => {
    const liar = { ...policy, supports: { ...policy.supports, ...lie } };
    const results = runLaws(liar, { laws: ["GP"], geometries: ["x86-64"] });
    expect(results.filter(({ status }) => status === "fail")).not.toEqual([]);
  });
});

const mirrorLies: readonly Partial<DeviceMirror["supports"]>[] = [
  { forms: ["atomic"] },
  { forms: ["sleeping"] },
];

describe.each([notifierMirror, intervalMirror])("$name", (mirror) => {
  const holdsOff = mirror.supports.holdsOff === "range" ? "whole-mm" : "range";
  it.each([...mirrorLies, { holdsOff } as const])("a mirror that claims %j MUST break a law", (lie) => {
    const liar = { ...mirror, supports: { ...mirror.supports, ...lie } };
    const results = runLaws(liar, { laws: ["MN"], geometries: ["x86-64"] });
    expect(results.filter(({ status }) => status === "fail")).not.toEqual([]);
  });
});
