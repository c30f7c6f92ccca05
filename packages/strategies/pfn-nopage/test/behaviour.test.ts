import { behavioursOf, flippedClaims } from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { pfnNopage } from "../src/index.ts";

describe.each(pfnNopage.supports.backing)("pfn-nopage showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: pfnNopage, backing })) test(title, check);
});

describe("what pfn-nopage claims to support MUST be true in both directions", () => {
  for (const { claim, liar } of flippedClaims(pfnNopage)) {
    test(`claiming ${claim} would be caught`, () => {
      const behaviours = liar.supports.backing.flatMap((backing) =>
        behavioursOf({ strategy: liar, backing }),
      );
      expect(() => {
        for (const { check } of behaviours) check();
      }).toThrow();
    });
  }
});
