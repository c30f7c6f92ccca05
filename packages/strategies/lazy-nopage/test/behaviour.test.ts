import { behavioursOf, flippedClaims } from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { lazyNopage } from "../src/index.ts";

describe.each(lazyNopage.supports.backing)("lazy-nopage showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: lazyNopage, backing })) test(title, check);
});

describe("what lazy-nopage claims to support MUST be true in both directions", () => {
  for (const { claim, liar } of flippedClaims(lazyNopage)) {
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
