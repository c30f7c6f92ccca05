import { describe, expect, it } from "vitest";
import { intervalMirror, notifierMirror } from "../src/index.ts";
import { operations } from "./support/operations.ts";
import { race } from "./support/race.ts";

const FIRST = 1000;
const SEEDS = 2500;

describe.each([notifierMirror, intervalMirror])("$name, many more schedules", (mirror) => {
  it.each(operations)("$name", (operation) => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      expect({ seed, problems: race(mirror, operation, seed) }).toEqual({ seed, problems: [] });
    }
  });
});
