import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalTree } from "../../src/mm/interval-tree.ts";

interface Item {
  readonly name: number;
  readonly first: number;
  readonly last: number;
}

type Step =
  | { readonly insert: readonly [number, number] }
  | { readonly remove: number }
  | { readonly ask: readonly [number, number] };

const bound = fc.nat({ max: 60 });
const range = fc
  .tuple(bound, fc.nat({ max: 12 }))
  .map(([first, more]): readonly [number, number] => [first, first + more]);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ insert: range }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ ask: range }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 120, size: "max" },
);

test("an interval tree answers like a list that is searched from end to end, oldest first", () => {
  fc.assert(
    fc.property(steps, (program) => {
      const tree = new IntervalTree<Item>();
      let list: Item[] = [];
      let next = 0;
      for (const step of program) {
        if ("insert" in step) {
          const item = { name: next++, first: step.insert[0], last: step.insert[1] };
          tree.insert(item, item.first, item.last);
          list.push(item);
        } else if ("remove" in step) {
          const item = list[step.remove % Math.max(list.length, 1)];
          if (item === undefined) continue;
          expect(tree.has(item)).toBe(true);
          expect(tree.remove(item)).toBe(true);
          expect(tree.remove(item)).toBe(false);
          list = list.filter((other) => other !== item);
        } else {
          const [first, last] = step.ask;
          const touching = list.filter((item) => item.first <= last && item.last >= first);
          const wanted = touching.sort((one, other) => one.first - other.first || one.name - other.name);
          expect(tree.overlapping(first, last)).toEqual(wanted);
          expect(tree.touches(first, last)).toBe(wanted.length > 0);
        }
        expect(tree.size).toBe(list.length);
      }
    }),
    { numRuns: 60 },
  );
});

test("an interval tree holds bounds up to the largest exact number", () => {
  const tree = new IntervalTree<object>();
  const item = {};
  tree.insert(item, 2 ** 52, Number.MAX_SAFE_INTEGER);
  expect(tree.overlapping(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toEqual([item]);
  expect(tree.overlapping(0, 2 ** 52 - 1)).toEqual([]);
});

test.each([
  ["random order", 400],
  ["mostly the same places, as in processes that map the same library", 3],
  ["spread out, so that hardly any overlap", 1_000_000],
])(
  "a tree of three levels answers like the list while it fills and while it empties: %s",
  (_what, places) => {
    const next = randomNumbers();
    const tree = new IntervalTree<Item>();
    let list: Item[] = [];
    const check = () => {
      for (let count = 0; count < 5; count++) {
        const first = next() % places;
        const last = first + (next() % 20);
        const touching = list.filter((item) => item.first <= last && item.last >= first);
        const wanted = touching.sort((one, other) => one.first - other.first || one.name - other.name);
        expect(tree.overlapping(first, last)).toEqual(wanted);
        expect(tree.touches(first, last)).toBe(wanted.length > 0);
      }
      expect(tree.overlapping(0, Number.MAX_SAFE_INTEGER)).toHaveLength(list.length);
    };
    for (let name = 0; name < 3000; name++) {
      const first = next() % places;
      const item = { name, first, last: first + (next() % 10) };
      tree.insert(item, item.first, item.last);
      list.push(item);
      if (name % 150 === 0) check();
    }
    while (list.length > 0) {
      const cut = list.length < 100 ? list.length : 90;
      const from = next() % (list.length - cut + 1);
      for (const item of list.slice(from, from + cut)) expect(tree.remove(item)).toBe(true);
      list = [...list.slice(0, from), ...list.slice(from + cut)];
      check();
    }
    expect(tree.size).toBe(0);
    const again = { name: 0, first: 5, last: 6 };
    tree.insert(again, 5, 6);
    expect(tree.overlapping(6, 6)).toEqual([again]);
  },
);

/** The same numbers each time (xorshift). */
function randomNumbers(): () => number {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
