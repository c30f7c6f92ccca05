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
    expect(nearestName("x", ["i386", "x86-64"])).toBe("x86-64");
  });

  test("neighbours that changed places are one slip, also in a short name", () => {
    expect(nearestName("rnu", ["run", "rust"])).toBe("run");
    expect(nearestName("lsit", ["run", "list"])).toBe("list");
  });

  test.each(["", "nonsense", "foo", "zzzzzzzzzzz", "./mine.ts"])(
    "%j is like none of the known names, and none is named",
    (name) => {
      const known = ["run", "list", "doctor", "eager-remap", "lazy-nopage", "x86-64", "co2"];
      expect(nearestName(name, known)).toBeUndefined();
    },
  );

  test("a name is never nearest when more than half of the letters are wrong", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(word, fc.uniqueArray(word, { minLength: 1 }), (name, known) => {
        const nearest = nearestName(name, known);
        if (nearest === undefined || nearest.startsWith(name)) return;
        const same = [...name].filter((letter) => nearest.includes(letter)).length;
        expect(same * 2).toBeGreaterThanOrEqual(name.length - 1);
      }),
    );
  });

  test("a word of a name is near to it", () => {
    expect(nearestName("card", ["highway", "test-card"])).toBe("test-card");
    expect(nearestName("remap", ["lazy-nopage", "eager-remap"])).toBe("eager-remap");
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
