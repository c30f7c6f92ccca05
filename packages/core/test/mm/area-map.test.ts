import fc from "fast-check";
import { expect, test } from "vitest";
import { AreaMap } from "../../src/mm/area-map.ts";
import type { Vma } from "../../src/mm/vma.ts";

const PAGE = 4096;

/** As much of an area as the map looks at. */
function areaOf(first: number, pages: number): Vma {
  return { start: first * PAGE, end: (first + pages) * PAGE, pgoff: 0, isLinked: false } as unknown as Vma;
}

type Step =
  | { readonly insert: readonly [number, number] }
  | { readonly remove: number }
  | { readonly trim: number }
  | { readonly ask: number };

const place = fc.nat({ max: 80 });
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ insert: fc.tuple(place, fc.integer({ min: 1, max: 6 })) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ trim: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ ask: place }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 100, size: "max" },
);

test("the areas of an mm are found like in a list", () => {
  fc.assert(
    fc.property(steps, (program) => {
      const map = new AreaMap();
      let list: Vma[] = [];
      for (const step of program) {
        if ("insert" in step) {
          const area = areaOf(...step.insert);
          const isFree = list.every((other) => other.end <= area.start || area.end <= other.start);
          if (!isFree) continue;
          map.insert(area);
          list = [...list, area].sort((one, other) => one.start - other.start);
        } else if ("remove" in step) {
          const area = list[step.remove % Math.max(list.length, 1)];
          if (area === undefined) continue;
          map.remove(area);
          list = list.filter((other) => other !== area);
        } else if ("trim" in step) {
          const area = list[step.trim % Math.max(list.length, 1)];
          if (area === undefined || area.end - area.start === PAGE) continue;
          map.resize(area, area.start, area.end - PAGE, area.pgoff);
        } else {
          const at = step.ask * PAGE;
          expect(map.find(at + 5)).toBe(list.find(({ start, end }) => start <= at + 5 && at + 5 < end));
          expect(map.findEndingAbove(at)).toBe(list.find(({ end }) => end > at));
          const wanted = list.filter(({ start, end }) => start < at + 3 * PAGE && end > at);
          expect(map.overlapping(at, at + 3 * PAGE)).toEqual(wanted);
          const gap = map.findGapBelow(60 * PAGE, 2 * PAGE, 4 * PAGE, PAGE);
          const free = Array.from({ length: 55 }, (_, index) => (56 - index) * PAGE).find((start) =>
            list.every((area) => area.end <= start || start + 4 * PAGE <= area.start),
          );
          expect(gap).toBe(free ?? -1);
        }
        expect(map.all()).toEqual(list);
        expect(map.size).toBe(list.length);
      }
    }),
    { numRuns: 60 },
  );
});

test("a gap is found at the alignment that is asked for", () => {
  const map = new AreaMap();
  map.insert(areaOf(30, 10));
  expect(map.findGapBelow(64 * PAGE, 0, 8 * PAGE, 16 * PAGE)).toBe(48 * PAGE);
  expect(map.findGapBelow(48 * PAGE, 0, 8 * PAGE, 16 * PAGE)).toBe(16 * PAGE);
  expect(map.findGapBelow(16 * PAGE, 16 * PAGE, PAGE, PAGE)).toBe(-1);
});
