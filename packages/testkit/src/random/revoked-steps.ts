import fc from "fast-check";
import { oddAccess } from "./odd-numbers.ts";
import type { RandomStep } from "./random-step.ts";
import { kind, pages, protection, value } from "./simple-steps.ts";

/** Steps that need the page that they touch, and have to wait for one that is revoked. */
export function touching(window: number): fc.WeightedArbitrary<RandomStep>[] {
  const at = fc.nat({ max: window - 1 });
  const range = { at, pages };
  const advice = fc.constantFrom("populate-read", "populate-write");
  return [
    { weight: 4, arbitrary: kind("load", { at }, oddAccess) },
    { weight: 4, arbitrary: kind("store", { at, value }, oddAccess) },
    { weight: 1, arbitrary: kind("advise", { ...range, advice }) },
    { weight: 1, arbitrary: kind("lock", range) },
  ];
}

/** Steps that never have to wait, though what they are about is revoked. */
export function afterClosing(window: number): fc.WeightedArbitrary<RandomStep>[] {
  const range = { at: fc.nat({ max: window - 1 }), pages };
  return [
    { weight: 2, arbitrary: kind("unmap", range) },
    { weight: 2, arbitrary: kind("protect", { ...range, protection }) },
    { weight: 1, arbitrary: kind("advise", { ...range, advice: fc.constant("dontneed") }) },
    { weight: 1, arbitrary: kind("look", range) },
    {
      weight: 1,
      arbitrary: kind("map", {
        ...range,
        thing: fc.constant("anonymous"),
        first: fc.constant(0),
        protection,
        sharing: fc.constantFrom("shared", "private"),
        populating: fc.constant("on-demand"),
      }),
    },
  ];
}
