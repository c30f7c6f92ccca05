import fc from "fast-check";
import { WINDOW_START } from "./random-step.ts";

/** Mostly nothing, and now and then what a careless caller says; it is shortened to nothing. */
function seldom<T extends object>(odd: fc.Arbitrary<T>): fc.Arbitrary<T | object> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: odd },
  );
}

/** Bytes behind the beginning of a page. */
export const skew = fc.constantFrom(0, 0, 1, 512, 4095);

/** Lengths in bytes that are not whole pages, or none at all, or as many pages as a caller may mean. */
export const oddLength = fc.constantFrom(0, 1, 8, 100, 4095, 4096, 4097, 8192, 12_289);

/**
 * Lengths of a 64-bit machine by which a range ends before it begins: one that is 0 when it is rounded up to pages, the
 * longest that is not, and one by which the window's beginning is address 0.
 */
const wrappingLength = fc.constantFrom(2 ** 64 - 2048, 2 ** 64 - 4096, 2 ** 64 - WINDOW_START);

/** Longer than all of user space, that of five levels of tables too, and still no wrap. */
const vastLength = fc.constantFrom(2 ** 57, 2 ** 63);

/** Any of them. */
export const anyLength = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: oddLength },
  { weight: 1, arbitrary: vastLength },
  { weight: 1, arbitrary: wrappingLength },
);

/** Those that reach no memory far beyond the window: advice is given to every area of a range, whoever's it is. */
const nearOrNoLength = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: oddLength },
  { weight: 1, arbitrary: wrappingLength },
);

/** How a range may differ from whole pages. */
export const oddRange = seldom(fc.record({ skew, bytes: anyLength }, { requiredKeys: [] }));
export const oddNearRange = seldom(fc.record({ skew, bytes: nearOrNoLength }, { requiredKeys: [] }));

/** How an access may differ from an aligned one of 32 bits: others may go over the end of a page. */
export const oddAccess = seldom(
  fc.record(
    { skew: fc.constantFrom(0, 1, 512, 4092, 4093, 4095), width: fc.constantFrom(1, 2, 4, 8) },
    { requiredKeys: [] },
  ),
);

/** Fields that are mostly left out. */
export function seldomWith(fields: { readonly [name: string]: fc.Arbitrary<unknown> }): fc.Arbitrary<object> {
  return seldom(fc.record(fields, { requiredKeys: [] }));
}
