import { describe, expect, test } from "vitest";
import { differencesIn, outcomeVector } from "../../src/parity/compare-steps.ts";

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
    expect(differencesIn(run, other)).toEqual([]);
    expect(outcomeVector(run)).toBe(outcomeVector(other));
  });

  test("are told apart at each step that answered something else, with the steps up to it", () => {
    const other = [...run.slice(0, 2), step("main", "join", "1")];
    expect(differencesIn(run, other)).toEqual([
      {
        model: "main: 1st join = 0",
        linux: "main: 1st join = 1",
        steps: ["main: mmap() = an address", "model: main: join() = 0", "Linux: main: join() = 1"],
      },
    ]);
    expect(outcomeVector(run)).not.toBe(outcomeVector(other));
  });

  test("go on being compared after a step that answered something else, which is told by its number", () => {
    const loads = (...answers: readonly string[]) => answers.map((answer) => step("main", "load", answer));
    const found = differencesIn(loads("1", "2", "3", "4"), loads("1", "5", "3", "6"));
    expect(found.map(({ model, linux }) => [model, linux])).toEqual([
      ["main: 2nd load = 2", "main: 2nd load = 5"],
      ["main: 4th load = 4", "main: 4th load = 6"],
    ]);
  });

  test("are compared no further where an actor goes another way, but the other actors are", () => {
    const other = [step("main", "fork", "-12"), step("main", "exit", "3"), step("child", "load", "2")];
    expect(differencesIn(run, other).map(({ model, linux }) => [model, linux])).toEqual([
      ["main: 1st mmap = an address", "main: 1st fork = -12"],
      ["child: 1st load = 1", "child: 1st load = 2"],
    ]);
  });

  test("are told apart where one goes on", () => {
    expect(differencesIn(run, run.slice(0, 2))).toMatchObject([{ linux: "nothing more" }]);
  });

  test("a step is counted as one counts", () => {
    const ordinals = [1, 2, 3, 4, 11, 12, 13, 21, 22, 111].map((count) => {
      const same = Array.from({ length: count - 1 }, () => step("main", "load", "1"));
      return differencesIn([...same, step("main", "load", "1")], [...same, step("main", "load", "2")])[0]
        ?.model;
    });
    expect(ordinals.map((told) => told?.split(" ")[1])).toEqual([
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "12th",
      "13th",
      "21st",
      "22nd",
      "111th",
    ]);
  });
});
