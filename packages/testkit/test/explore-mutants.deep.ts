import { describe, expect, it } from "vitest";
import { concurrentMutants, explored } from "../mutants/explore-mutants.ts";

/** Of the CPU, so that a machine that is busy with something else makes no difference. */
const LONGEST_US = 10_000_000;

describe("the search for what a concurrent mutant does wrong", () => {
  it.each(concurrentMutants)("MUST catch $bug, $name, within ten seconds", ({ name }) => {
    const before = process.cpuUsage();
    const [result] = [...explored({ mutants: [name] })];
    expect(result?.caught).toBeDefined();
    expect(process.cpuUsage(before).user).toBeLessThan(LONGEST_US);
  });
});
