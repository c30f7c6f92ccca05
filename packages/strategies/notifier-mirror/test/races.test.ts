import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { intervalMirror, notifierMirror } from "../src/index.ts";
import { operations } from "./support/operations.ts";
import { race } from "./support/race.ts";

const SEEDS = 150;

describe.each([notifierMirror, intervalMirror])("$name", (mirror) => {
  it.each(operations)(
    "MN-03, MN-07, MN-08 $name MUST leave the device nothing that the process lost",
    (operation) => {
      for (const seed of seedsBelow(SEEDS)) {
        expect({ seed, problems: race(mirror, operation, seed) }).toEqual({ seed, problems: [] });
      }
    },
  );
});
