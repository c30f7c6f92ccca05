import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { naiveMirror, type Omission } from "./support/naive-mirrors.ts";
import { operations } from "./support/operations.ts";
import { race } from "./support/race.ts";

const SEEDS = 300;

/** The first race that shows what is wrong, by schedule and then by operation. */
function firstBreach(form: "list" | "interval", omission: Omission): string | undefined {
  const mirror = naiveMirror(form, omission);
  for (let seed = 0; seed < SEEDS; seed++) {
    for (const operation of operations) {
      const problem = race(mirror, operation, seed)[0];
      if (problem !== undefined) return `${operation.name}: ${problem}`;
    }
  }
  return undefined;
}

describe("what the races find in naive mirrors", () => {
  it.each([
    ["list", "the count", /may (read|write) frame|shows/],
    ["list", "the second look at the entry", /may (read|write) frame|shows/],
    ["list", "the flush of the device's TLB", /may (read|write) frame|shows|has a translation/],
    ["list", "the rights of the entry", /may write frame/],
    ["list", "the zap at the beginning", /may (read|write) frame|shows/],
    ["list", "life after release", /free/],
    ["list", "the end in the count", /never succeeds/],
    ["interval", "the sequence check", /may (read|write) frame|shows/],
    ["interval", "the lock around the sequence check", /may (read|write) frame|shows/],
    ["interval", "the flush of the device's TLB", /may (read|write) frame|shows|has a translation/],
    ["interval", "recording the sequence", /did not record sequence/],
  ] as const)("a %s mirror without %s MUST be caught", (form, omission, sign) => {
    expect(firstBreach(form, omission)).toMatch(sign);
  });

  it.each(["list", "interval"] as const)(
    "the control, a %s mirror that leaves nothing out, MUST pass",
    (form) => {
      const mirror = naiveMirror(form, "nothing");
      for (const seed of seedsBelow(40)) {
        for (const operation of operations) {
          expect({ seed, name: operation.name, problems: race(mirror, operation, seed) }).toMatchObject({
            problems: [],
          });
        }
      }
    },
  );
});
