import { describe, expect, test } from "vitest";
import { outcomeVector } from "../../src/parity/compare-steps.ts";
import type { ObservedStep } from "../../src/parity/observed-step.ts";
import { raceOf } from "../../src/parity/race.ts";

const step = (actor: string, call: string, outcome: string): ObservedStep => ({
  actor,
  call,
  outcome,
  line: `${actor}: ${call}() = ${outcome}`,
});

/** A run in which a thread has loaded twice while the main one cut the object off. */
const run = (first: string, second: string): readonly ObservedStep[] => [
  step("main", "subject.resize", "0"),
  step("thread", "load", first),
  step("main", "load", "SIGBUS"),
  step("thread", "load", second),
];

const allowing = (complete: boolean, ...runs: readonly (readonly ObservedStep[])[]) => ({
  complete,
  outcomes: new Map(runs.map((steps) => [outcomeVector(steps), steps])),
});

describe("what a race came to", () => {
  const early = run("7", "SIGBUS");
  const late = run("SIGBUS", "SIGBUS");
  const never = run("7", "7");

  test("MUST be told outcome by outcome: how often it was seen, and which that are allowed were not", () => {
    const race = raceOf("cut off", [late, early, late], allowing(true, early, late, never));
    expect(race).toEqual({
      program: "cut off",
      runs: 3,
      search: "complete",
      outcomes: [
        { outcome: "thread: 1st load = SIGBUS, thread: 2nd load = SIGBUS", times: 2, allowed: "yes" },
        { outcome: "thread: 1st load = 7, thread: 2nd load = SIGBUS", times: 1, allowed: "yes" },
        { outcome: "thread: 1st load = 7, thread: 2nd load = 7", times: 0, allowed: "yes" },
      ],
    });
  });

  test("MUST say of an outcome that the model has not shown whether it could have", () => {
    const allowedOf = (complete: boolean) =>
      raceOf("", [never], allowing(complete, early)).outcomes.map(({ times, allowed }) => [times, allowed]);
    expect(allowedOf(true)).toEqual([
      [1, "no"],
      [0, "yes"],
    ]);
    expect(allowedOf(false)).toEqual([
      [1, "unknown"],
      [0, "yes"],
    ]);
    expect(raceOf("", [never]).search).toBe("none");
  });

  test("MUST name steps that only some runs make, and none where all runs are alike", () => {
    const short = never.slice(0, 3);
    expect(raceOf("", [short, never, never]).outcomes.map(({ outcome }) => outcome)).toEqual([
      "thread: 2nd load = 7",
      "the same each time",
    ]);
    expect(raceOf("", [late, late]).outcomes).toMatchObject([{ outcome: "the same each time", times: 2 }]);
  });
});
