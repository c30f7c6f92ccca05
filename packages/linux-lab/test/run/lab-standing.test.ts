import { describe, expect, test } from "vitest";
import { labStanding, type TriedCase } from "../../src/run/lab-standing.ts";

const broken = (when: string): TriedCase => ({
  lawCase: { when, schedule: "sequential" },
  end: { kind: "run", problems: [`${when} is wrong`] },
});
const kept = (when: string, schedule: "sequential" | "racy" = "sequential"): TriedCase => ({
  lawCase: { when, schedule },
  end: { kind: "run", problems: [] },
});
const beside: TriedCase = {
  lawCase: { when: "beside", schedule: "sequential" },
  end: { kind: "excluded", why: "it has no gate" },
};

describe("how a law stands in the lab", () => {
  test.each([
    [[kept("a"), beside], [], { status: "holds", reason: "" }],
    [[beside], [], { status: "skip", reason: "it has no gate" }],
    [[kept("a"), broken("b")], [], { status: "broken", reason: "b is wrong" }],
    [
      [kept("a"), broken("b")],
      [{ when: "b", reason: "so it is" }],
      { status: "explained", reason: "so it is" },
    ],
    [[broken("a"), broken("b")], [{ reason: "so it is" }], { status: "explained", reason: "so it is" }],
    [[beside], [{ reason: "so it is" }], { status: "skip", reason: "it has no gate" }],
  ])("case %#", (tried, explanations, standing) => {
    expect(labStanding(tried, explanations)).toEqual({ ...standing, stale: [] });
  });

  test("an explanation MUST NOT cover what it is not about", () => {
    const standing = labStanding([broken("a"), broken("b")], [{ when: "b", reason: "so it is" }]);
    expect(standing).toEqual({ status: "broken", reason: "a is wrong", stale: [] });
  });

  test("an explanation that says what was seen MUST NOT cover anything else, nor a part of it", () => {
    const says = (...problems: readonly string[]): TriedCase => ({
      lawCase: { when: "a", schedule: "sequential" },
      end: { kind: "run", problems: problems.map((problem) => `it, a: ${problem}`) },
    });
    const explained = { when: "a", seen: ["it is at an address", /^it has \d+ pages$/], reason: "so it is" };
    const statusOf = (...problems: readonly string[]) => labStanding([says(...problems)], [explained]).status;
    expect(statusOf("it is at 0x7f0929f37000")).toBe("explained");
    expect(statusOf("it has 5 pages", "it is at 0x7f0929f37000")).toBe("explained");
    expect(statusOf("it is at -EINVAL")).toBe("broken");
    expect(statusOf("it is at 0x7f0929f37000 or so")).toBe("broken");
    expect(statusOf("it has 5 pages", "the kernel complains")).toBe("broken");
  });

  test("an explanation of what holds MUST be told as stale, unless a race may hide it", () => {
    const reason = "so it is";
    expect(labStanding([kept("a"), broken("b")], [{ when: "a", reason }])).toEqual({
      status: "broken",
      reason: "b is wrong",
      stale: [reason],
    });
    expect(labStanding([kept("a")], [{ when: "a", reason }])).toEqual({
      status: "holds",
      reason: "",
      stale: [reason],
    });
    expect(labStanding([kept("a", "racy")], [{ when: "a", reason }])).toEqual({
      status: "holds",
      reason: "",
      stale: [],
    });
  });
});
