import type { GeometryName, MachineOptions } from "@nopage/core";
import { expect, it } from "vitest";
import { allLaws } from "#src/laws/all-laws";
import type { LawCase } from "#src/laws/law";
import { type Contender, contendersOf } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { plainPages } from "#src/model/plain-pages";

const geometry: GeometryName = "x86-64";
const cases: readonly LawCase[] = allLaws.flatMap((law) => (law.level === "untested" ? [] : law.cases));

/** What a run of a program comes to, without what its reports tell beyond that; undefined where it does not apply. */
function outcome({ trial, ...contender }: Contender, lawCase: LawCase, options: MachineOptions) {
  const { about = ["mapping"], excluded, machine } = lawCase;
  const world = new ModelWorld({ trial, ...contender }, { ...machine, geometry, ...options });
  if (!about.includes(trial) || excluded?.(world.stage) !== undefined) return undefined;
  const { problems, steps } = world.run(lawCase);
  const { violations } = world.machine;
  return { problems: problems.length, steps, violations: violations.list.map(({ kind }) => kind) };
}

it("brief reports MUST be as many as full ones, in all programs of laws", () => {
  const [contender] = contendersOf(plainPages) as [Contender];
  const kinds = new Set<string>();
  for (const lawCase of cases) {
    const brief = outcome(contender, lawCase, { reports: "brief" });
    expect(brief, lawCase.when).toEqual(outcome(contender, lawCase, { reports: "full" }));
    for (const kind of brief?.violations ?? []) kinds.add(kind);
  }
  expect(kinds.size).toBeGreaterThan(0);
});
