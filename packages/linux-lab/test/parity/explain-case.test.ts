import { allLaws } from "@nopage/testkit/conform";
import { describe, expect, test } from "vitest";
import { explainAlone, explainCase, staleExplanations } from "../../src/parity/explain-case.ts";
import { type ExplainedDifference, explainedDifferences } from "../../src/parity/explained-differences.ts";
import type { ComparedCase } from "../../src/parity/parity-result.ts";
import { twins } from "../../src/subjects/twins.ts";

const about = { law: "QU-10", subject: "lazy-nopage.pages" };

const difference = (model: string, linux: string) => ({ model, linux, steps: [] });
const first = difference("main: 1st read = -EINVAL", "main: 1st read = 4");
const second = difference("main: 2nd read = -EINVAL", "main: 2nd read = 4");

const both: ComparedCase = { when: "read(2)", model: [], linux: [], broken: [], differences: [first] };
const explained: ExplainedDifference = {
  law: "QU-10",
  when: "read(2)",
  subjects: ["lazy-nopage"],
  seen: [first],
  reason: "so it is",
};

describe("an explanation", () => {
  test("is for what both sides said", () => {
    expect(explainCase(both, about, [explained])).toEqual({ reasons: ["so it is"], open: undefined });
  });

  test.each<[string, ComparedCase]>([
    ["Linux answered something else", { ...both, differences: [{ ...first, linux: "main: 1st read = 3" }] }],
    [
      "the model answered something else",
      { ...both, differences: [{ ...first, model: "main: 1st read = 0" }] },
    ],
    ["it is another step", { ...both, differences: [second] }],
    ["it is another program", { ...both, when: "/proc/self/mem" }],
  ])("MUST NOT be for a difference where %s", (_, one) => {
    expect(explainCase(one, about, [explained])).toEqual({ reasons: [], open: one });
  });

  test("MUST NOT be for another law or another subject", () => {
    expect(explainCase(both, { ...about, law: "QU-09" }, [explained]).open).toEqual(both);
    expect(explainCase(both, { ...about, subject: "pfn-nopage.window" }, [explained]).open).toEqual(both);
  });

  test("MUST NOT hide what the same program says besides: a second difference, a broken rule, a model that breaks it", () => {
    const more = { ...both, differences: [first, second] };
    expect(explainCase(more, about, [explained]).open?.differences).toEqual([second]);
    const broken = { ...both, linux: ["lazy-nopage.pages, read(2): the kernel complains"] };
    expect(explainCase(broken, about, [explained]).open).toEqual({ ...broken, differences: [] });
    const wrong = { ...both, model: ["lazy-nopage on page-array: it is 2"] };
    expect(explainCase(wrong, about, [explained]).open?.model).toEqual(wrong.model);
  });

  test("may be for a broken rule too, in the words of the rule", () => {
    const broken = { ...both, linux: ["lazy-nopage.pages, read(2): it is 4"] };
    const telling = { ...explained, broken: ["it is 4"] };
    expect(explainCase(broken, about, [telling]).open).toBeUndefined();
    expect(explainCase(broken, about, [{ ...explained, broken: ["it is"] }]).open?.linux).toEqual(
      broken.linux,
    );
  });

  test("may say what a side is like, where that depends on how much room there is", () => {
    const like = {
      ...explained,
      seen: [{ model: /^main: \w+ read = -EINVAL$/, linux: /^main: \w+ read = 4$/ }],
    };
    expect(explainCase({ ...both, differences: [first, second] }, about, [like]).open).toBeUndefined();
  });

  test("of what a subject breaks is its own affair", () => {
    const alone: ComparedCase = { when: "", linux: ["it is 2"], broken: [], differences: [] };
    const tried = [
      {
        lawCase: { when: "", schedule: "sequential" },
        end: { kind: "run", problems: ["it is 2"] },
      } as const,
    ];
    expect(explainAlone(alone, tried, [])).toEqual({ reasons: [], open: alone });
    expect(explainAlone(alone, tried, [{ reason: "so it is" }])).toEqual({
      reasons: ["so it is"],
      open: undefined,
    });
  });
});

describe("an explanation is stale", () => {
  const told = (one: ComparedCase, known = explained, subject = about.subject) =>
    staleExplanations(one, { ...about, subject }, [known]);

  test("where its program was run and what it explains was not seen, or not all of it", () => {
    expect(told(both)).toEqual([]);
    expect(told({ ...both, differences: [] })).toEqual(["so it is"]);
    expect(told(both, { ...explained, seen: [first, second] })).toEqual(["so it is"]);
    expect(told(both, { ...explained, broken: ["it is 4"] })).toEqual(["so it is"]);
  });

  test("but not for another subject, another program, or one that the model has not run", () => {
    const agreeing = { ...both, differences: [] };
    expect(told(agreeing, explained, "pfn-nopage.window")).toEqual([]);
    expect(told({ ...agreeing, when: "another" })).toEqual([]);
    const { model: _, ...alone } = agreeing;
    expect(told(alone)).toEqual([]);
  });

  test("of a race only where the model allows what it explains: it may not show", () => {
    const race = (...vectors: readonly string[]): ComparedCase => ({
      ...both,
      differences: [],
      allowed: new Set(vectors),
    });
    expect(told(race("main: load=1"))).toEqual([]);
    expect(told(race("main: load=1", first.linux))).toEqual(["so it is"]);
  });
});

test.each(explainedDifferences)("$law, $when: is about a program and subjects that there are", (one) => {
  const law = allLaws.find(({ id }) => id === one.law);
  const programs = law !== undefined && "cases" in law ? law.cases : [];
  expect(programs.map(({ when }) => when)).toContain(one.when);
  const names = twins.flatMap(({ name }) => [name, name.split(".")[0]]);
  for (const subject of one.subjects ?? []) expect(names).toContain(subject);
  expect(one.seen).not.toEqual([]);
});
