import { describe, expect, test } from "vitest";
import type { ExplainedCase } from "../../src/parity/explain-case.ts";
import { type ComparedCase, resultOf } from "../../src/parity/parity-result.ts";
import type { Race, RaceOutcome } from "../../src/parity/race.ts";

const about = { subject: "lazy-nopage.pages", law: "LK-02" };
const unknown = (open: ComparedCase): ExplainedCase => ({ reasons: [], open });
const known = (): ExplainedCase => ({ reasons: ["so it is"], open: undefined });
const both: ComparedCase = { when: "", model: [], linux: [], broken: [], differences: [] };
const difference = {
  model: "main: 1st load = 1",
  linux: "main: 1st load = 2",
  steps: ["model: 1", "Linux: 2"],
};

describe("how the model and Linux stand to each other", () => {
  test("where both hold and saw the same they agree", () => {
    expect(resultOf(about, [both], unknown)).toEqual({
      ...about,
      status: "agree",
      model: "holds",
      linux: "holds",
      reason: "",
      programs: [],
      races: [],
      stale: [],
    });
  });

  test("where both hold and one step answered something else they do not", () => {
    const result = resultOf(about, [both, { ...both, when: "b", differences: [difference] }], unknown);
    expect(result).toMatchObject({
      status: "disagree",
      model: "main: 1st load = 1",
      linux: "main: 1st load = 2",
    });
    expect(result.programs).toEqual([{ when: "b", steps: ["model: 1", "Linux: 2"] }]);
  });

  test("where only one of them keeps the law they do not", () => {
    const broken = { ...both, linux: ["it is 2"], broken: ["load() = 2"] };
    const result = resultOf(about, [broken], unknown);
    expect(result).toMatchObject({ status: "disagree", model: "holds", linux: "it is 2" });
    expect(result.programs).toEqual([{ when: "", steps: ["load() = 2"] }]);
  });

  test("where both break the law in the same way it is the law that is wrong, which nobody may overlook", () => {
    const broken = { ...both, linux: ["it is 2"], model: ["it is 2"] };
    expect(resultOf(about, [broken], unknown).status).toBe("disagree");
  });

  test("a difference with a known reason is explained, and does not hide one without", () => {
    const differing = { ...both, differences: [difference] };
    const result = resultOf(about, [differing], known);
    expect(result).toMatchObject({ status: "explained", reason: "so it is", programs: [] });
    const other = { ...differing, when: "b" };
    const mixed = resultOf(about, [differing, other], (one) => (one === other ? unknown(one) : known()));
    expect(mixed).toMatchObject({ status: "disagree", reason: "they do not agree in: b" });
  });

  test("explanations that were not needed are told beside whatever it came to", () => {
    expect(resultOf(about, [both], unknown, ["so it was"])).toMatchObject({
      status: "agree",
      stale: ["so it was"],
    });
  });

  test("a subject that the model does not have is held to the law alone", () => {
    const alone: ComparedCase = { when: "", linux: [], broken: [], differences: [] };
    expect(resultOf(about, [alone], unknown)).toMatchObject({ status: "agree", model: "must hold" });
    const broken = { ...alone, linux: ["it is 2"], broken: ["load() = 2"] };
    expect(resultOf(about, [broken], unknown)).toMatchObject({
      status: "disagree",
      model: "must hold",
      linux: "it is 2",
      programs: [{ when: "", steps: ["load() = 2"] }],
    });
    expect(resultOf(about, [broken], known)).toMatchObject({ status: "explained", model: "must hold" });
  });

  test("of races it tells what was seen of what is allowed, and where more may be", () => {
    const outcomes = [3, 1, 0, 0, 0].map((times, at): RaceOutcome => {
      return { outcome: String(at), times, allowed: "yes" };
    });
    const race: Race = { program: "", runs: 4, search: "complete", outcomes };
    const result = resultOf(about, [{ ...both, race }], unknown);
    expect(result).toMatchObject({ linux: "holds; 2 of 5 allowed outcomes seen", races: [race] });
    const open: Race = { ...race, search: "incomplete" };
    expect(resultOf(about, [{ ...both, race: open }], unknown).linux).toBe(
      "holds; 2 of at least 5 allowed outcomes seen",
    );
    const alone: Race = { ...race, search: "none" };
    expect(resultOf(about, [{ ...both, race: alone }], unknown).linux).toBe("holds");
  });
});
