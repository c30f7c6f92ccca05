import type { GeometryName, MachineOptions } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { allLaws } from "#src/laws/all-laws";
import type { LawCase } from "#src/laws/law";
import { type Contender, contendersOf } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { plainPages } from "#src/model/plain-pages";
import { plainPins } from "#src/model/plain-pins";

/** The first program of every law, which is enough for every part of a machine to be used. */
const cases: readonly LawCase[] = allLaws.flatMap((law) =>
  law.level === "untested" ? [] : law.cases.slice(0, 1),
);

interface Traces {
  readonly problems: readonly string[];
  readonly log: Uint8Array;
  readonly choices: unknown;
}

/** What a world did, to the byte. */
function traces(world: ModelWorld, lawCase: LawCase): Traces {
  const { problems } = world.run(lawCase);
  return { problems, log: world.machine.log.bytes(), choices: world.machine.sched.choices };
}

function applies(
  { about = ["mapping"], excluded }: LawCase,
  { trial }: Contender,
  { stage }: ModelWorld,
): boolean {
  return about.includes(trial) && excluded?.(stage) === undefined;
}

describe.each<[GeometryName, MachineOptions]>([
  ["x86-64", {}],
  ["x86-64", { dataCache: "virtually-indexed", pagelessPages: 8 }],
  ["alpha", {}],
])("a machine of %s with %o that takes over the memory of a scrapped one", (geometry, options) => {
  it.each([plainPages, plainPins])("MUST do the same as a new one: $name", (plugin) => {
    const [contender] = contendersOf(plugin) as [Contender];
    const settingsOf = ({ machine }: LawCase): MachineOptions => ({
      ...options,
      ...machine,
      geometry,
      eventLog: "on",
    });
    let scrapped: ModelWorld | undefined;
    let compared = 0;
    for (const [index, lawCase] of cases.entries()) {
      const settings = settingsOf(lawCase);
      const fresh = new ModelWorld(contender, settings);
      if (!applies(lawCase, contender, fresh)) continue;
      const again = new ModelWorld(contender, settings, scrapped);
      expect(traces(again, lawCase)).toEqual(traces(fresh, lawCase));
      compared++;
      // Every other one is left in the middle of what it does.
      scrapped = new ModelWorld(contender, { ...settings, stepLimit: index % 2 === 0 ? 3 : 100_000 }, again);
      scrapped.run(lawCase);
    }
    expect(compared).toBeGreaterThan(5);
  });
});
