import { describe, expect, it } from "vitest";
import { allMutants } from "../mutants/all-mutants.ts";
import { judge } from "../mutants/run-mutants.ts";

const racy = allMutants.filter(({ schedule }) => schedule === "racy");

describe("the counterpart of a mutant that needs a particular order of steps", () => {
  it.each(racy)("of $bug, $name, MUST keep the same laws in many orders", ({ right, caughtBy }) => {
    for (const law of Object.keys(caughtBy)) expect(judge(right, law, 2000).problems).toEqual([]);
  });
});
