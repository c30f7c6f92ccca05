import type { MappingStrategy } from "@nopage/core";
import { describe, expect, it } from "vitest";
import {
  exploreLawInParts,
  LawParts,
  nameOfProgram,
  programNamed,
} from "#src/explore/divide/explore-law-in-parts";
import { exploreLaw } from "#src/explore/explore-law";
import { type RacyProgram, racyProgramsOf } from "#src/explore/racy-programs";
import { plainPages } from "#src/model/plain-pages";
import { selectLaws } from "#src/run/run-laws";

const geometry = "x86-64";

/** The racy programs of a law on a strategy that keeps it. */
function programs(law: string, strategy: MappingStrategy = plainPages): readonly RacyProgram[] {
  return racyProgramsOf(selectLaws([law]), strategy, geometry);
}

const division = { first: 10, parts: 5, runs: 7 };

describe("a law's program in parts", () => {
  it.each(["QU-02", "RE-11"])("MUST take as many runs as undivided: %s", async (law) => {
    for (const program of programs(law)) {
      const { lawCase, contender } = program;
      const whole = exploreLaw(lawCase, contender, geometry, { maxExecutions: 1500 });
      if (!whole.complete) continue;
      const { executions, abandoned, complete, counterexamples } = await exploreLawInParts(
        program,
        geometry,
        {
          division,
        },
      );
      expect({ executions, abandoned, complete }).toEqual({
        executions: whole.executions,
        abandoned: 0,
        complete: true,
      });
      expect(counterexamples.map(({ problems }) => problems)).toEqual(
        whole.counterexamples.map(({ problems }) => problems),
      );
    }
  });

  it("MUST be complete within a budget of as many runs as there are, and not within one less", async () => {
    const [program] = programs("QU-02");
    const { executions } = await exploreLawInParts(program as RacyProgram, geometry, { division });
    const within = (maxExecutions: number) =>
      exploreLawInParts(program as RacyProgram, geometry, { division, maxExecutions });
    expect(await within(executions)).toMatchObject({ executions, complete: true, remaining: 0 });
    expect(await within(executions - 1)).toMatchObject({ executions: executions - 1, complete: false });
  });

  it("MUST be found again by its name, on a plugin loaded elsewhere", async () => {
    const [program] = programs("QU-02");
    const name = nameOfProgram(program as RacyProgram, geometry);
    const found = programNamed(name, { ...plainPages });
    const there = new LawParts(found as RacyProgram, geometry);
    const here = await exploreLawInParts(program as RacyProgram, geometry, { division, maxExecutions: 200 });
    const elsewhere = await exploreLawInParts(program as RacyProgram, geometry, {
      division,
      maxExecutions: 200,
      width: 3,
      explore: async (task) => there.explore(JSON.parse(JSON.stringify(task))),
    });
    expect(elsewhere).toEqual(here);
    expect(programNamed({ ...name, program: 99 }, plainPages)).toBeUndefined();
  });
});
