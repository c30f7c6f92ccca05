import { behavioursOf, flippedClaims } from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { eagerRemap } from "../src/index.ts";

describe.each(eagerRemap.supports.backing)("eager-remap showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: eagerRemap, backing })) test(title, check);
});

describe("what eager-remap claims to support MUST be true in both directions", () => {
  for (const { claim, liar } of flippedClaims(eagerRemap)) {
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
