import { describe, it } from "vitest";
import { live } from "./support/counted-life.ts";

describe("splits, moves, forks and partial unmaps in any order", () => {
  it("MUST keep the counts of areas, files and modules exact (LC-02, LC-07, LC-12, MO-01)", () => {
    for (let seed = 0; seed < 12; seed++) live(seed, 0);
  });

  it("MUST keep them exact when one allocation in eight is refused (LC-05)", () => {
    for (let seed = 0; seed < 40; seed++) live(seed, 8);
  });
});
