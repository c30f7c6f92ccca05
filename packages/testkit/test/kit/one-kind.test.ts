import { expect, it } from "vitest";
import type { LawCase } from "#src/laws/law";
import { contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { LawBroken } from "#src/program/expect";
import { runLaw } from "#src/run/run-law";

const law = {
  id: "XX-01",
  level: "required",
  owner: ["core"],
  rule: "anything MUST hold",
  source: "here",
} as const;

function runsOf(
  shape: Pick<LawCase, "kinds" | "excluded">,
  schedule: LawCase["schedule"],
): readonly string[] {
  const seen = new Set<string>();
  runLaw(
    {
      ...law,
      cases: [
        {
          ...shape,
          when: "",
          schedule,
          *program({ subject }) {
            seen.add(subject.name);
          },
        },
      ],
    },
    contendersOf(plainPages),
    "x86-64",
  );
  return [...seen];
}

it.each(["sequential", "racy"] as const)(
  "a %s case that needs one kind of memory MUST be run on one, any other on each",
  (schedule) => {
    const names = contendersOf(plainPages).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(1);
    expect(runsOf({}, schedule)).toEqual(names);
    expect(runsOf({ kinds: "one" }, schedule)).toEqual(names.slice(0, 1));
  },
);

it("a kind of memory that is excluded MUST NOT be the one", () => {
  const excluded: LawCase["excluded"] = ({ subject }) =>
    subject.holes.length === 0 ? "it has no holes" : undefined;
  expect(runsOf({ kinds: "one", excluded }, "sequential")).toEqual(["plain pages on page-array with holes"]);
});

it("a case that is broken on the one kind MUST break the law", () => {
  const broken: LawCase = {
    when: "",
    schedule: "sequential",
    kinds: "one",
    *program() {
      throw new LawBroken("nothing holds");
    },
  };
  const { status, reason } = runLaw({ ...law, cases: [broken] }, contendersOf(plainPages), "x86-64");
  expect({ status, reason }).toEqual({ status: "fail", reason: "plain pages on page-array: nothing holds" });
});
