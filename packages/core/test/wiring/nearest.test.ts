import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearestName } from "../../src/wiring/nearest.ts";

describe("nearestName", () => {
  test("a misspelt name finds the right one, whatever its case", () => {
    const known = ["eager-remap", "lazy-nopage", "page-lookup", "pfn-nopage"];
    expect(nearestName("lasy-nopage", known)).toBe("lazy-nopage");
    expect(nearestName("PFN_NOPAGE", known)).toBe("pfn-nopage");
  });

  test("of equally near names the first one counts", () => {
    expect(nearestName("ab", ["ac", "ad"])).toBe("ac");
  });

  test("where nothing is known there is nothing near", () => {
    expect(nearestName("x", [])).toBeUndefined();
  });

  test("a known name is nearest to itself", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (known) => {
        for (const name of known) expect(nearestName(name, known)).toBe(name);
      }),
    );
  });
});
