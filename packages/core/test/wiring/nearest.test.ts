import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearestName } from "../../src/wiring/nearest.ts";

describe("nearestName", () => {
  test("a misspelt name finds the right one, whatever its case", () => {
    const known = ["eager-remap", "lazy-nopage", "page-lookup", "pfn-nopage"];
    expect(nearestName("lasy-nopage", known)).toBe("lazy-nopage");
    expect(nearestName("PFN_NOPAGE", known)).toBe("pfn-nopage");
  });

  test("the beginning of a name is nearer than any misspelling", () => {
    expect(nearestName("x86", ["i386", "x86-64"])).toBe("x86-64");
    expect(nearestName("", ["long-name", "no"])).toBe("no");
  });

  test("of equally near names the first one counts", () => {
    expect(nearestName("ab", ["ac", "ad"])).toBe("ac");
  });

  test("where nothing is known there is nothing near", () => {
    expect(nearestName("x", [])).toBeUndefined();
  });

  test("a known name is nearest to itself, or to one that it begins", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (known) => {
        for (const name of known) {
          const nearest = nearestName(name, known);
          expect(nearest?.startsWith(name)).toBe(true);
        }
      }),
    );
  });
});
