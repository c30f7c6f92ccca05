import { describe, expect, it } from "vitest";
import { allMutants } from "../mutants/all-mutants.ts";
import { concurrentBugs } from "../mutants/concurrent-bugs.ts";
import { concurrentMutants, explored } from "../mutants/explore-mutants.ts";

describe("the search for what a concurrent mutant does wrong", () => {
  it.each(["B12", "B25", "B50"])("MUST find %s, and the fewest preemptions that show it", (bug) => {
    const [result] = [...explored({ mutants: [bug] })];
    expect(result?.caught).toMatchObject({ preemptions: 1, isFewest: true });
    expect(result?.caught?.executions).toBeGreaterThan(1);
  });

  it("MUST tell the law and its words, and come to the same each time", () => {
    const once = [...explored({ mutants: ["B25"] })];
    expect([...explored({ mutants: ["B25"] })]).toEqual(once);
    const [mutant] = concurrentMutants.filter(({ bug }) => bug === "B25");
    const { law = "", problem = "" } = once[0]?.caught ?? {};
    expect(problem).toMatch(mutant?.caughtBy[law] ?? /none/);
  });

  it("MUST say so where it was not allowed to go far enough", () => {
    const [result] = [...explored({ mutants: ["the gate is closed after the zap"], maxExecutions: 1 })];
    expect(result).toMatchObject({ caught: undefined });
    expect(result?.executions).toBeGreaterThan(1);
  });

  it("MUST be made for every bug that took two at once", () => {
    const searched = new Set(concurrentMutants.map(({ bug }) => bug));
    expect([...concurrentBugs].filter((bug) => !searched.has(bug))).toEqual([]);
    const racy = allMutants.filter(({ schedule }) => schedule === "racy");
    expect(racy.filter((mutant) => !concurrentMutants.includes(mutant))).toEqual([]);
  });
});
