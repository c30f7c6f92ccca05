import { raceTransfer } from "@nopage/testkit";
import { expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { eagerRemap } from "../src/index.ts";

const SEEDS = 1500;

test.each(eagerRemap.supports.backing)(
  "QU-01 QU-02 QU-09 showing %s, no entry MUST stand and no touch get through between quiesce and resume",
  (backing) => {
    for (const seed of seedsBelow(SEEDS)) {
      const breaches = raceTransfer({ strategy: eagerRemap, backing, seed });
      expect({ seed, breaches }).toEqual({ seed, breaches: [] });
    }
  },
  60_000,
);
