import { describe, expect, test } from "vitest";
import { firstDifference, outcomeVector } from "../../src/parity/compare-steps.ts";

const step = (actor: string, call: string, outcome: string) => ({
  actor,
  call,
  outcome,
  line: `${actor}: ${call}() = ${outcome}`,
});

describe("two runs of a program", () => {
  const run = [step("main", "mmap", "an address"), step("child", "load", "1"), step("main", "join", "0")];

  test("that saw the same are the same, whoever was first", () => {
    const [first, second, third] = run;
    if (first === undefined || second === undefined || third === undefined) throw new Error("three steps");
    const other = [first, third, second];
    expect(firstDifference(run, other)).toBeUndefined();
    expect(outcomeVector(run)).toBe(outcomeVector(other));
  });

  test("are told apart at the first step that answered something else, with the steps up to it", () => {
    const other = [...run.slice(0, 2), step("main", "join", "1")];
    expect(firstDifference(run, other)).toEqual({
      model: "main: join = 0",
      linux: "main: join = 1",
      steps: ["main: mmap() = an address", "model: main: join() = 0", "Linux: main: join() = 1"],
    });
    expect(outcomeVector(run)).not.toBe(outcomeVector(other));
  });

  test("are told apart where one goes on", () => {
    expect(firstDifference(run, run.slice(0, 2))).toMatchObject({ linux: "nothing more" });
  });
});
