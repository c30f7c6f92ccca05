import { lazyNopage } from "@nopage/lazy-nopage";
import { type DividedPlan, racyProgramsOf } from "@nopage/testkit";
import { selectLaws } from "@nopage/testkit/conform";
import { describe, expect, it } from "vitest";
import { explorePrograms, type ProgramsToExplore, type Progress } from "#src/explore/explore-programs";
import { Interruption } from "#src/explore/interruption";
import type { SavedProgram } from "#src/explore/search-file";
import { progressInWords } from "#src/report/progress-words";

const geometry = "x86-64";
const programs = racyProgramsOf(selectLaws(["QU-02"]), lazyNopage, geometry);

/** What the programs come to, when they are explored so. */
async function explore(changes: Partial<ProgramsToExplore>) {
  const explored = await explorePrograms({
    ...{ programs, geometry, plan: "optimal", plugin: "lazy-nopage", directory: "/", saved: [] },
    limits: { maxExecutions: 1000, maxSeconds: 1000, workers: 1 },
    isInterrupted: () => false,
    announce: () => undefined,
    warn: () => undefined,
    checkpoint: () => undefined,
    ...changes,
  });
  return explored.map(({ found: { executions, complete, coverage } }) => ({
    executions,
    complete,
    coverage,
  }));
}

describe("an exploration that is interrupted", () => {
  const plans: readonly DividedPlan[] = ["optimal", { preemptions: 1 }, { random: 40 }, { pct: 40 }];

  it.each(plans)(
    "MUST stop at once, and come to the same when it goes on from what it has kept: %j",
    async (plan) => {
      const unbroken = await explore({ plan });
      let [questions, kept]: [number, readonly SavedProgram[]] = [0, []];
      const broken = await explore({
        plan,
        isInterrupted: () => ++questions > 5,
        checkpoint: (saved) => {
          kept = saved;
        },
      });
      expect(broken[0]?.executions).toBeLessThan(6);
      expect(broken.every(({ complete }) => !complete)).toBe(true);
      const saved = JSON.parse(JSON.stringify(kept)) as typeof kept;
      expect(await explore({ plan, saved })).toEqual(unbroken);
    },
  );

  it("MUST be so by the first Ctrl-C, and leave the second one alone", () => {
    const before = process.rawListeners("SIGINT");
    const interruption = new Interruption();
    const [own] = process.rawListeners("SIGINT").filter((one) => !before.includes(one));
    expect(interruption.hasCome).toBe(false);
    own?.("SIGINT");
    expect(interruption.hasCome).toBe(true);
    expect(process.rawListeners("SIGINT")).toEqual(before);
    new Interruption().end();
    expect(process.rawListeners("SIGINT")).toEqual(before);
  });
});

describe("the progress of an exploration", () => {
  const program = {
    law: "QU-02",
    contender: { ...programs[0]?.contender, name: "mine" },
  } as (typeof programs)[0];
  const of = (progress: Progress): string => progressInWords(program, progress);

  it("tells executions, which are traces, their speed, and what may remain", () => {
    expect(of({ each: "trace", executions: 12_345, made: 8000, seconds: 2, remaining: 33_456 })).toBe(
      "QU-02, mine: 12,345 executions, one for each trace, 4,000 a second; about 33,000 remain, 9 s",
    );
    expect(of({ each: "trace", executions: 9, made: 9, seconds: 1, remaining: 0 })).toContain(
      "; about 0 remain",
    );
    expect(of({ each: "trace", executions: 90, made: 10, seconds: 1, remaining: 6000 })).toContain(
      "6,000 remain, 10 min",
    );
    expect(of({ each: "trace", executions: 90, made: 10, seconds: 1, remaining: 600_000 })).toContain(
      "remain, 17 h",
    );
  });

  it("tells nothing of traces where there is no saying", () => {
    expect(of({ each: "schedule", executions: 50, made: 50, seconds: 0.5 })).toBe(
      "QU-02, mine: 50 executions, 100 a second",
    );
    expect(of({ each: "schedule", executions: 50, made: 50, seconds: 0.5, remaining: 150 })).toBe(
      "QU-02, mine: 50 executions, 100 a second; about 150 remain, 2 s",
    );
  });
});
