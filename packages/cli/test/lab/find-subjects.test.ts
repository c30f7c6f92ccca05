import { builtInSubjects } from "@nopage/linux-lab";
import { expect, it } from "vitest";
import { findSubjects } from "../../src/lab/find-subjects.ts";

it("`all` names every subject that the lab brings, each of which has a name of its own", async () => {
  const { subjects, problems } = await findSubjects(["all"], "/");
  expect(problems).toEqual([]);
  expect(subjects).toEqual(builtInSubjects);
  const names = subjects.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(["memfd", "packet", "bar", "vgem"]));
});
