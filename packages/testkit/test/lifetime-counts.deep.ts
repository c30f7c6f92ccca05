import { randomChooser } from "@nopage/core";
import { describe, it } from "vitest";
import { live } from "./support/counted-life.ts";

describe("splits, moves, forks and partial unmaps in any order, many times over", () => {
  it("MUST keep the counts of areas, files and modules exact (LC-02, LC-07, LC-12, MO-01)", () => {
    for (let seed = 1000; seed < 1200; seed++) live(seed, 0);
  });

  it.each([2, 4, 8, 32])(
    "MUST keep them exact when one allocation in %i is refused (LC-05)",
    (refuseOneIn) => {
      for (let seed = 2000; seed < 2100; seed++) live(seed, refuseOneIn);
    },
  );

  it("MUST keep them exact when parent and children interleave in any way", () => {
    for (let seed = 3000; seed < 3040; seed++) live(seed, 0, randomChooser(seed));
  });

  it("MUST keep them exact when they interleave and run out of memory now and then", () => {
    for (let seed = 4000; seed < 4040; seed++) live(seed, 8, randomChooser(seed));
  });
});
