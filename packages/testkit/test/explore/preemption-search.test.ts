import { exploreProgram, type PlainProgram } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { PreemptionSearch } from "#src/explore/preemption-search";
import { PlainAccess } from "#src/explore/program/plain-program";
import { PlainRun } from "#src/explore/program/plain-run";
import { Dependence } from "#src/explore/step";
import * as programs from "./benchmarks.ts";

const known: readonly (readonly [string, PlainProgram, readonly number[]])[] = [
  ["binc(4)", programs.increments(4, 2), [24, 168, 432, 576]],
  ["three variables, three threads", programs.increments(3, 3), [6, 42, 120, 192, 216]],
  ["IRIW", programs.independentReads, [14, 15]],
];

const dependence = new Dependence((one, other) => one !== other || one === PlainAccess.write);

function tracesWithin(program: PlainProgram, most: number): readonly number[] {
  const search = new PreemptionSearch(most, dependence);
  const run = new PlainRun(program);
  while (search.runNext(run)) {}
  return search.traces;
}

describe("a search with a bound on preemptions", () => {
  it.each(known)("reaches the known numbers of traces of %s", (_name, program, traces) => {
    expect(tracesWithin(program, traces.length - 1)).toEqual(traces);
  });

  it.each(known)("runs each schedule of %s once when there is no bound", (_name, program) => {
    const bounded = exploreProgram(program, { algorithm: { preemptions: 100 } });
    const all = exploreProgram(program, { algorithm: "exhaustive" });
    expect(bounded.complete).toBe(true);
    expect(bounded.executions).toBe(all.executions);
    expect(bounded.finalStates).toEqual(all.finalStates);
  });

  it("says what it has covered, and is not complete while a preemption more leads further", () => {
    const { complete, coverage } = exploreProgram(programs.increments(4, 2), {
      algorithm: { preemptions: 1 },
    });
    expect(complete).toBe(false);
    expect(coverage).toBe("traces with at most so many preemptions: 24 with 0, 168 with 1");
  });

  it("finds a deadlock with the one preemption that it needs", () => {
    expect(exploreProgram(programs.deadlock, { algorithm: { preemptions: 0 } }).failures).toEqual([]);
    expect(exploreProgram(programs.deadlock, { algorithm: { preemptions: 1 } }).failures).toHaveLength(1);
  });
});
