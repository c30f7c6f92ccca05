import { VM_EXEC, VM_READ, VM_WRITE } from "@nopage/core";
import fc from "fast-check";
import { anyLength, oddAccess, oddLength, oddNearRange, oddRange, seldomWith, skew } from "./odd-numbers.ts";
import type { RandomStep } from "./random-step.ts";

const RW = VM_READ | VM_WRITE;

export const pages = fc.integer({ min: 1, max: 8 });
export const protection = fc.constantFrom(RW, RW, RW, VM_READ, VM_READ | VM_EXEC, VM_WRITE, 0);
export const value = fc.integer({ min: 1, max: 0xffff });
const access = fc.constantFrom("read" as const, "write" as const);
const sharing = fc.constantFrom("shared", "private");
const populating = fc.constantFrom("on-demand", "on-demand", "populate");
const oldRange = fc.constantFrom("unmap", "unmap", "keep");

/** The arguments of what moves bytes: few enough for one line to the guest, and some that go over the end of a page. */
const moved = { skew: fc.constantFrom(0, 1, 3800, 4095), bytes: fc.constantFrom(1, 8, 600) };

type Fields<K extends RandomStep["step"]> = {
  readonly [F in keyof Omit<Extract<RandomStep, { step: K }>, "step">]: fc.Arbitrary<unknown>;
};

/** Steps of one kind, by their fields; and by some that are mostly left out. */
export function kind<K extends RandomStep["step"]>(
  step: K,
  fields: Fields<K>,
  odd: fc.Arbitrary<object> = fc.constant({}),
): fc.Arbitrary<RandomStep> {
  return fc
    .tuple(fc.record({ step: fc.constant(step), ...fields }), odd)
    .map(([plain, more]) => ({ ...plain, ...more })) as fc.Arbitrary<RandomStep>;
}

/**
 * Every step that ends by itself, by how often it is taken.
 *
 * @param objectPages pages of the object; some mappings begin past its end
 * @param window pages of the window in which steps begin
 */
export function simpleSteps(objectPages: number, window: number): fc.WeightedArbitrary<RandomStep>[] {
  const at = fc.nat({ max: window - 1 });
  const range = { at, pages };
  return [
    ...mappings(objectPages, window),
    { weight: 1, arbitrary: kind("command", {}) },
    { weight: 4, arbitrary: kind("unmap", range, oddRange) },
    { weight: 3, arbitrary: kind("protect", { ...range, protection }, oddRange) },
    {
      weight: 3,
      arbitrary: kind(
        "advise",
        {
          ...range,
          advice: fc.constantFrom(
            "dontneed",
            "dontneed",
            "dontfork",
            "dofork",
            "dontdump",
            "dodump",
            "populate-read",
            "populate-write",
          ),
        },
        oddNearRange,
      ),
    },
    { weight: 2, arbitrary: kind("lock", range, oddRange) },
    { weight: 1, arbitrary: kind("unlock", range, oddRange) },
    {
      weight: 1,
      arbitrary: kind(
        "sync",
        {
          ...range,
          writing: fc.constantFrom("sync", "async"),
          others: fc.constantFrom("keep", "invalidate"),
        },
        oddRange,
      ),
    },
    { weight: 2, arbitrary: kind("look", range, oddRange) },
    ...moves(window),
    {
      weight: 1,
      arbitrary: kind("truncate", { pages: fc.nat({ max: 8 }) }, seldomWith({ more: oddLength })),
    },
    { weight: 8, arbitrary: kind("load", { at }, oddAccess) },
    { weight: 10, arbitrary: kind("store", { at, value }, oddAccess) },
    { weight: 1, arbitrary: kind("copy", { at, ...moved }) },
    { weight: 1, arbitrary: kind("read-mem", { at, ...moved }) },
    { weight: 1, arbitrary: kind("write-mem", { at, value, ...moved }) },
    { weight: 4, arbitrary: kind("reach", { at }) },
    { weight: 4, arbitrary: kind("put", { at, value }) },
    { weight: 1, arbitrary: kind("pin", { ...range, access }) },
    { weight: 1, arbitrary: kind("revoke", {}) },
  ];
}

function mappings(objectPages: number, window: number): fc.WeightedArbitrary<RandomStep>[] {
  const range = { at: fc.nat({ max: window - 1 }), pages };
  const first = fc.nat({ max: objectPages });
  const mapped = { ...range, first, protection, sharing, populating };
  const thing = fc.constantFrom("object", "object", "anonymous", "file");
  /** The last pages that an offset of 64 bits counts, besides those that there may be. */
  const anyFirst = fc.oneof(
    { withCrossShrink: true },
    { weight: 9, arbitrary: first },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 51 - 1, 2 ** 52 - 1) },
  );
  return [
    { weight: 8, arbitrary: kind("map", { ...mapped, thing }) },
    {
      weight: 4,
      arbitrary: kind(
        "map-oddly",
        {
          ...mapped,
          first: anyFirst,
          thing,
          mode: fc.constantFrom("read-write", "read-write", "read", "write"),
          offset: fc.constantFrom(0, 0, 0, 0, 0, 1, 2048),
          placement: fc.constantFrom("fixed", "fixed", "fixed-noreplace", "hint"),
          locking: fc.constantFrom("unlocked", "unlocked", "unlocked", "locked"),
        },
        oddRange,
      ),
    },
  ];
}

function moves(window: number): fc.WeightedArbitrary<RandomStep>[] {
  const at = fc.nat({ max: window - 1 });
  const range = { at, pages };
  const odd = fc
    .tuple(oddRange, seldomWith({ newBytes: anyLength }))
    .map(([one, other]) => ({ ...one, ...other }));
  const elsewhere = seldomWith({ moving: fc.constant("may-move"), oldRange });
  return [
    {
      weight: 2,
      arbitrary: kind(
        "resize",
        { ...range, to: pages },
        fc.tuple(odd, elsewhere).map(([one, other]) => ({ ...one, ...other })),
      ),
    },
    {
      weight: 2,
      arbitrary: kind(
        "move",
        { ...range, to: at, newPages: pages, oldRange },
        fc.tuple(odd, seldomWith({ toSkew: skew })).map(([one, other]) => ({ ...one, ...other })),
      ),
    },
  ];
}
