import { fileURLToPath } from "node:url";
import { lazyNopage } from "@nopage/lazy-nopage";
import { exploreLawInParts, nameOfProgram, type RacyProgram, racyProgramsOf } from "@nopage/testkit";
import { selectLaws } from "@nopage/testkit/conform";
import { describe, expect, it } from "vitest";
import { WorkerPool } from "#src/explore/worker-pool";

const geometry = "x86-64";
const division = { first: 20, parts: 8, runs: 40 };
const directory = fileURLToPath(new URL("../../../..", import.meta.url));

const [program] = racyProgramsOf(selectLaws(["QU-02"]), lazyNopage, geometry) as [RacyProgram];
const name = nameOfProgram(program, geometry);

/** What is found with so many workers. */
async function explore(workers: number) {
  const pool = new WorkerPool(workers, "lazy-nopage", directory);
  try {
    return await exploreLawInParts(program, geometry, {
      division,
      maxExecutions: 600,
      width: workers,
      explore: (part) => pool.explore({ plugin: "lazy-nopage", directory, program: name, part }),
    });
  } finally {
    await pool.end();
  }
}

describe("a search by workers", () => {
  it("MUST find the same as one without them, and by the same schedules, whatever their number", async () => {
    const here = await exploreLawInParts(program, geometry, { division, maxExecutions: 600 });
    for (const workers of [1, 2, 3]) expect(await explore(workers)).toEqual(here);
  }, 120_000);
});
