import { expect, test } from "vitest";
import { SetUps } from "../../src/run/set-ups.ts";
import { memfd } from "../../src/subject/memfd.ts";

test("a subject MUST be given up after three failures in a row, with the last reason, and no other with it", () => {
  const setUps = new SetUps();
  const other = { ...memfd, name: "other" };
  for (const why of ["one", "two"]) setUps.failed(memfd, why);
  expect(setUps.whyNoMore(memfd)).toBeUndefined();
  setUps.worked(memfd);
  for (const why of ["three", "four"]) setUps.failed(memfd, why);
  expect(setUps.whyNoMore(memfd)).toBeUndefined();
  setUps.failed(memfd, "five");
  expect(setUps.whyNoMore(memfd)).toBe("it could not be set up on 3 fresh guests in a row: five");
  expect(setUps.whyNoMore(other)).toBeUndefined();
});
