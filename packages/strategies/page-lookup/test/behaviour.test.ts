import { behavioursOf, flippedClaims } from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { pageLookup } from "../src/index.ts";

describe.each(pageLookup.supports.backing)("page-lookup showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: pageLookup, backing })) test(title, check);
});

describe("what page-lookup claims to support MUST be true in both directions", () => {
  for (const { claim, liar } of flippedClaims(pageLookup)) {
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
