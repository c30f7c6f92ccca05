import fc from "fast-check";
import { expect, test } from "vitest";
import { InvariantBroken } from "../../src/contract/contract-violation.ts";
import { IntervalNodes } from "../../src/mm/interval-nodes.ts";
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

test.each([
  ["below", { ascending: 33, between: 8, removed: [32, 31] }],
  [
    "above",
    { ascending: 55, between: 0, removed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] },
  ],
])(
  "an item that a node which has too few takes from the full node %s is found where it is now",
  (_what, shape) => {
    const tree = new IntervalTree<Item>();
    const items: Item[] = [];
    const insert = (first: number) => {
      const item = { name: items.length, first, last: first + 1 };
      tree.insert(item, item.first, item.last);
      items.push(item);
    };
    // The node of the first 24 stays at that when the 33rd comes; what comes between them fills it up again.
    for (let index = 0; index < shape.ascending; index++) insert(10 * index);
    for (let index = 0; index < shape.between; index++) insert(10 * index + 5);
    for (const name of shape.removed) expect(tree.remove(items[name])).toBe(true);
    const left = items.filter(({ name }) => !shape.removed.includes(name));
    for (const item of left) expect(tree.overlapping(item.first, item.last)).toEqual([item]);
  },
);

test("an item that is not in the node where it is looked for is said to be missing", () => {
  const nodes = new IntervalNodes();
  const [one, other] = [nodes.take(0), nodes.take(0)];
  nodes.add(one, 0, 5, 6, 7);
  nodes.add(other, 0, 1, 2, 3);
  expect(nodes.indexOf(other, 3)).toBe(0);
  for (const [node, ref] of [
    [other, 7],
    [one, 3],
  ]) {
    expect(() => nodes.indexOf(node, ref)).toThrow(InvariantBroken);
  }
});

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
