import { exploreProgram } from "@nopage/testkit";
import { describe, expect, it } from "vitest";

/** The final states of a program whose two writers leave one of two states behind. */
function statesOf(one: unknown, other: unknown): readonly unknown[] {
  return exploreProgram(({ variable, thread }) => {
    const x = variable(0);
    thread(() => x.write(1));
    thread(() => x.write(2));
    return () => (x.value === 1 ? one : other);
  }).finalStates;
}

const unlike: readonly (readonly [unknown, unknown])[] = [
  [Number.NaN, null],
  [undefined, null],
  [undefined, "undefined"],
  [0, -0],
  [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [1n, 1],
  [1n, "1n"],
  [new Map([[1, 2]]), new Map([[1, 3]])],
  [new Map([[1, 2]]), {}],
  [new Map([["1", 2]]), new Map([[1, 2]])],
  [new Set([1]), new Set(["1"])],
  [new Set([[1, 2]]), new Set([1, 2])],
  [{ a: undefined }, {}],
  [[undefined], [null]],
  // biome-ignore lint/suspicious/noSparseArray: an empty place is none that holds undefined.
  [[undefined], [,]],
  [new Uint8Array([1]), [1]],
  [new Uint8Array([1]), new Uint16Array([1])],
  [new Float64Array([0]), new Float64Array([-0])],
  [{ a: "b,c" }, { a: "b", c: "" }],
  [new Date(1), new Date(2)],
  [new Error("a"), new Error("b")],
];

const alike: readonly (readonly [unknown, unknown])[] = [
  [Number.NaN, Number.NaN],
  [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ],
  [
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
    new Map([
      ["b", 2],
      ["a", 1],
    ]),
  ],
  [new Set([1, 2]), new Set([2, 1])],
  [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
];

describe("final states", () => {
  it.each(unlike)("%s and %s are two", (one, other) => {
    expect(statesOf(one, other)).toHaveLength(2);
  });

  it.each(alike)("%s and %s are one", (one, other) => {
    expect(statesOf(one, other)).toHaveLength(1);
  });

  it("are in the order of their texts", () => {
    expect(statesOf([2], [10])).toEqual([[10], [2]]);
    expect(statesOf({ z: 1 }, { a: 5 })).toEqual([{ a: 5 }, { z: 1 }]);
  });

  it.each([
    [() => 1, "the final state is a function; expected plain data"],
    [{ of: [Symbol("x")] }, 'the final state["of"][0] is a symbol'],
    [new (class Account {})(), "the final state is of class Account"],
    [new Map([["a", new WeakMap()]]), 'the final state.get("a") is of class WeakMap'],
    [Object.assign([1], { more: 2 }), "the final state is an array with further properties"],
  ])("that are no plain data are refused: %o", (state, why) => {
    expect(() => statesOf(state, 1)).toThrow(new RegExp(why.replaceAll(/[[\]().]/g, "\\$&")));
  });

  it("that contain themselves are refused, and those that contain another twice are not", () => {
    const round: { self?: object } = {};
    round.self = round;
    expect(() => statesOf(round, 1)).toThrow('the final state["self"] is a part of itself');
    const twice = { a: 1 };
    expect(statesOf([twice, twice], [twice])).toHaveLength(2);
  });
});
