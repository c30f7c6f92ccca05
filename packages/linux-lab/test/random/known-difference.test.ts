import type { RandomStep } from "@nopage/testkit/random";
import { describe, expect, test } from "vitest";
import type { SequenceEnd } from "../../src/random/compare-sequence.ts";
import { knownReason } from "../../src/random/known-difference.ts";

const map = {
  step: "map",
  at: 0,
  pages: 1,
  thing: "object",
  first: 0,
  protection: 3,
  sharing: "private",
  populating: "on-demand",
} as const;
const fork: RandomStep = { step: "fork", steps: [], parent: "waits", end: "returns" };

function ended(...steps: readonly (readonly [string, RandomStep, string])[]): SequenceEnd {
  const outcomes = steps.map(([place, step, outcome]) => ({ place, step, outcome }));
  return { problems: [], outcomes, areas: [] };
}

const forked = '{"status":0}';

describe("a fork that only Linux refuses", () => {
  const model = ended(["0", map, "page 0"], ["1", fork, forked]);
  const linux = ended(["0", map, "page 0"], ["1", fork, "-ENOMEM"]);

  test("is known where bare frames are mapped privately, also where the child has done something on the model", () => {
    expect(knownReason("eager-remap.window", model, linux)).toMatch(/^6\.1 does not fork/);
    const busy = ended(["0", map, "page 0"], ["1.0", { step: "load", at: 0 }, "0"], ["1", fork, forked]);
    expect(knownReason("eager-remap.coherent", busy, linux)).toMatch(/^6\.1 does not fork/);
  });

  test("MUST NOT be taken for known elsewhere: on pages, of shared memory, with another errno, on the model", () => {
    expect(knownReason("lazy-nopage.pages", model, linux)).toBeUndefined();
    const shared: RandomStep = { ...map, sharing: "shared" };
    const unknown = [
      [
        ended(["0", shared, "page 0"], ["1", fork, forked]),
        ended(["0", shared, "page 0"], ["1", fork, "-ENOMEM"]),
      ],
      [model, ended(["0", map, "page 0"], ["1", fork, "-EAGAIN"])],
      [linux, model],
      [model, ended(["0", map, "-ENOMEM"], ["1", fork, "-ENOMEM"])],
    ] as const;
    for (const [one, other] of unknown) expect(knownReason("eager-remap.window", one, other)).toBeUndefined();
  });
});
