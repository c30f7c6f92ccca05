import { randomChooser } from "@nopage/core";
import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { ghostMm, longterm, quarantine, refcount } from "@nopage/pinning";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contendersOf } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { randomPrograms } from "#src/random/random-programs";
import { RandomRun } from "#src/random/random-run";
import { runsOf } from "../../../../tools/exploration.ts";

/** Who says of itself that a fork does harm is blamed rightly. */
const policies = [refcount, longterm, ghostMm, quarantine].filter(({ supports }) =>
  supports.survives.includes("fork"),
);
const plugins = [eagerRemap, lazyNopage, pageLookup, pfnNopage, notifierMirror, intervalMirror, ...policies];
const contenders = plugins.flatMap(contendersOf);

/** Programs that are tried on each contender; with all contenders more than ten thousand. */
const PROGRAMS = Math.ceil(10_000 / contenders.length);

describe.each(contenders)("$name", (contender) => {
  test("MUST NOT be blamed for anything, whatever programs do and in whatever order", () => {
    const programs = randomPrograms({ threads: 3, steps: 12, pages: 8 });
    fc.assert(
      fc.property(programs, fc.nat(), (program, seed) => {
        const world = new ModelWorld(contender, { chooser: randomChooser(seed), ramPages: 400, cpus: 3 });
        const run = (stage: typeof world.stage) => new RandomRun(stage).runThreads(program);
        const { problems } = world.run({ when: "", schedule: "racy", program: run });
        expect(problems).toEqual([]);
      }),
      { seed: 1, numRuns: runsOf(PROGRAMS, 50) },
    );
  });
});
