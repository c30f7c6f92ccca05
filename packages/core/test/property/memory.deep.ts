import fc from "fast-check";
import { describe, test } from "vitest";
import { geometries } from "../../src/mmu/geometry.ts";
import { programs } from "./operations.ts";
import { Playground } from "./playground.ts";

describe.each(Object.values(geometries))("memory on $name", (geometry) => {
  test("is what a map from page to contents says, through hundreds of long programs", () => {
    fc.assert(
      fc.property(programs(120), (program) => {
        const playground = new Playground({ geometry: geometry.name });
        playground.world.run((thread) => playground.run(thread, program));
        playground.world.finish();
      }),
      { numRuns: 400 },
    );
  });
});
