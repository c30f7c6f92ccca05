import { fileURLToPath } from "node:url";
import { lazyNopage } from "@nopage/lazy-nopage";
import {
  type DividedPlan,
  exploreLawInParts,
  nameOfProgram,
  type RacyProgram,
  racyProgramsOf,
} from "@nopage/testkit";
import { selectLaws } from "@nopage/testkit/conform";
import { describe, expect, it } from "vitest";
import { WorkerPool } from "#src/explore/worker-pool";

const geometry = "x86-64";
const division = { first: 10, parts: 6, runs: 10 };
const directory = fileURLToPath(new URL("../../../..", import.meta.url));

const [program] = racyProgramsOf(selectLaws(["FR-12"]), lazyNopage, geometry) as [RacyProgram];
const name = nameOfProgram(program, geometry);

/** What is found with so many workers. */
async function explore(workers: number, plan: DividedPlan = "optimal") {
  const pool = new WorkerPool(workers, "lazy-nopage", directory);
  try {
    return await exploreLawInParts(program, geometry, {
      plan,
      division,
      width: workers,
      explore: (part) => pool.explore({ plugin: "lazy-nopage", directory, program: name, part }),
    });
  } finally {
    await pool.end();
  }
}

describe("a search by workers", () => {
  it("MUST find the same as one without them, and by the same schedules, whatever their number", async () => {
    const here = await exploreLawInParts(program, geometry, { division });
    expect(here).toMatchObject({ complete: true, abandoned: 0 });
    expect(here.executions).toBeGreaterThan(100);
    for (const workers of [1, 2, 3]) expect(await explore(workers)).toEqual(here);
  }, 120_000);

  it.each<DividedPlan>([{ preemptions: 1 }, { random: 100 }, { pct: 100, depth: 3 }])(
    "MUST find the same as one without them by %j",
    async (plan) => {
      const here = await exploreLawInParts(program, geometry, { plan, division });
      expect(here).toMatchObject({ asPlanned: true });
      expect(await explore(2, plan)).toEqual(here);
    },
    120_000,
  );

  it("MUST say that they cannot load a plugin", async () => {
    const pool = new WorkerPool(1, "./no-such-plugin.ts", directory);
    await expect.poll(() => pool.failure, { timeout: 20_000 }).toContain("no-such-plugin");
    expect(pool.isReady).toBe(false);
    await pool.end();
  });
});
