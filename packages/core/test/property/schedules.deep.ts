import { describe, test } from "vitest";
import { geometries } from "../../src/mmu/geometry.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { Crowd } from "./crowd.ts";

describe.each(Object.values(geometries))("crowds on $name", (geometry) => {
  test.each(["any", "private"] as const)(
    "with %s mappings keep all books in order, through hundreds of schedules",
    (sharing) => {
      for (let seed = 0; seed < 250; seed++) {
        const shape = { processes: 3, threads: 2 + (seed % 2), length: 25, seed, sharing } as const;
        new Crowd(shape, { chooser: randomChooser(seed), geometry: geometry.name, tlbEntries: 16 }).run();
      }
    },
  );
});
