import fc from "fast-check";
import { describe, test } from "vitest";
import { runsOf } from "../../../../tools/exploration.ts";
import { geometries } from "../../src/mmu/geometry.ts";
import { programs } from "./operations.ts";
import { Playground } from "./playground.ts";

describe.each(Object.values(geometries))("memory on $name", (geometry) => {
  test("is what a map from page to contents says, and all books agree, after every operation", () => {
    fc.assert(
      fc.property(programs(30), (program) => {
        const playground = new Playground({ geometry: geometry.name });
        playground.world.run((thread) => playground.run(thread, program));
        playground.world.finish();
      }),
      { numRuns: runsOf(40) },
    );
  });
});
