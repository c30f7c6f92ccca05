import { describe, expect, it } from "vitest";
import { concurrentMutants, explored } from "../mutants/explore-mutants.ts";

const LONGEST_MS = 10_000;

describe("the search for what a concurrent mutant does wrong", () => {
  it.each(concurrentMutants)(
    "MUST catch $bug, $name, within ten seconds",
    ({ name }) => {
      const [result] = [...explored({ mutants: [name] })];
      expect(result?.caught).toBeDefined();
    },
    LONGEST_MS,
  );
});
