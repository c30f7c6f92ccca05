import { describe, expect, test } from "vitest";
import { explanationOf } from "../../src/parity/explained-differences.ts";
import { type ComparedCase, resultOf } from "../../src/parity/parity-result.ts";

const about = { subject: "lazy-nopage.pages", law: "LK-02" };
const holds = { status: "holds", reason: "" } as const;
const unknown = (): undefined => undefined;
const both: ComparedCase = { when: "", model: [], linux: [], broken: [] };
const difference = { model: "main: load = 1", linux: "main: load = 2", steps: ["model: 1", "Linux: 2"] };

describe("how the model and Linux stand to each other", () => {
  test("where both hold and saw the same they agree", () => {
    const result = resultOf(about, holds, [both], unknown);
    expect(result).toEqual({
      ...about,
      status: "agree",
      model: "holds",
      linux: "holds",
      reason: "",
      programs: [],
    });
  });

  test("where both hold and one step answered something else they do not", () => {
    const result = resultOf(about, holds, [both, { ...both, when: "b", difference }], unknown);
    expect(result).toMatchObject({ status: "disagree", model: "main: load = 1", linux: "main: load = 2" });
    expect(result.programs).toEqual([{ when: "b", steps: ["model: 1", "Linux: 2"] }]);
  });

  test("where only one of them keeps the law they do not", () => {
    const broken = { ...both, linux: ["it is 2"], broken: ["load() = 2"] };
    const result = resultOf(about, { status: "broken", reason: "it is 2" }, [broken], unknown);
    expect(result).toMatchObject({ status: "disagree", model: "holds", linux: "it is 2" });
  });

  test("a difference with a known reason is explained", () => {
    const result = resultOf(about, holds, [{ ...both, difference }], () => "so it is");
    expect(result).toMatchObject({ status: "explained", reason: "so it is", programs: [] });
  });

  test("a subject that the model does not have is held to the law alone", () => {
    const alone: ComparedCase = { when: "", linux: [], broken: [] };
    expect(resultOf(about, holds, [alone], unknown)).toMatchObject({ status: "agree", model: "must hold" });
    const broken = { ...alone, linux: ["it is 2"], broken: ["load() = 2"] };
    const standing = { status: "broken", reason: "it is 2" } as const;
    expect(resultOf(about, standing, [broken], unknown)).toMatchObject({
      status: "disagree",
      model: "must hold",
      linux: "it is 2",
      programs: [{ when: "", steps: ["load() = 2"] }],
    });
  });

  test("of races it tells what was seen of what is allowed", () => {
    const seen = { seen: 2, allowed: 5, complete: true };
    expect(resultOf(about, holds, [{ ...both, seen }], unknown).linux).toBe(
      "holds; 2 of 5 allowed outcomes seen",
    );
  });

  test("an explanation is for a law, a program of it, a subject or its strategy, and what was seen", () => {
    const about = { law: "LK-02", subjects: ["lazy-nopage"], reason: "so it is" };
    const known = [{ ...about, when: "b", seen: "-ENXIO" }];
    const found = { law: "LK-02", when: "b", subject: "lazy-nopage.pages", linux: "main: open = -ENXIO" };
    expect(explanationOf(found, known)).toBe("so it is");
    expect(explanationOf({ ...found, when: "a" }, known)).toBeUndefined();
    expect(explanationOf({ ...found, subject: "pfn-nopage.window" }, known)).toBeUndefined();
    expect(explanationOf({ ...found, linux: "main: open = -EIO" }, known)).toBeUndefined();
  });
});
