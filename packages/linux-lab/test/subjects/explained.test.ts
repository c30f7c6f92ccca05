import { allLaws } from "@nopage/testkit/conform";
import { expect, test } from "vitest";
import { builtInSubjects } from "../../src/subject/built-in-subjects.ts";

const explained = builtInSubjects.flatMap(({ name, explained: own = [] }) =>
  own.map((explanation) => ({ name, ...explanation })),
);

test.each(explained)(
  "$name, $law, $when: is about a program that there is, and says what was seen",
  (one) => {
    const law = allLaws.find(({ id }) => id === one.law);
    const programs = law !== undefined && "cases" in law ? law.cases.map(({ when }) => when) : [];
    expect(one.when === undefined ? programs : [one.when]).not.toEqual([]);
    if (one.when !== undefined) expect(programs).toContain(one.when);
    expect(one.seen ?? []).not.toEqual([]);
  },
);
