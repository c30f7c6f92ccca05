import type { GeometryName } from "@nopage/core";
import type { Law, LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { ModelWorld } from "../model/model-world.ts";
import type { LawResult } from "./results.ts";

/** Runs every program of a law on every kind of memory given, each in a world of its own. */
export function runLaw(
  law: Law,
  tried: readonly Contender[],
  geometry: GeometryName,
): Pick<LawResult, "status" | "reason"> {
  const exclusions = new Set<string>();
  const problems: string[] = [];
  let runs = 0;
  for (const lawCase of law.cases) {
    for (const on of tried) {
      const outcome = runCase(lawCase, on, geometry);
      if (typeof outcome === "string") exclusions.add(outcome);
      else {
        runs++;
        problems.push(...outcome);
      }
    }
  }
  if (problems.length > 0) return { status: "fail", reason: problems.join("\n") };
  return runs > 0
    ? { status: "pass", reason: "" }
    : { status: "skip", reason: [...exclusions].join("; ") || "no case of it applies" };
}

/** Why the case does not apply, or what it found broken. */
function runCase(lawCase: LawCase, on: Contender, geometry: GeometryName): string | readonly string[] {
  const world = new ModelWorld(on, { ...lawCase.machine, geometry });
  const { stage } = world;
  const about = lawCase.about ?? ["mapping"];
  if (!about.includes(stage.trial)) return `it is about ${about.join(" and ")}`;
  const excluded = lawCase.excluded?.(stage);
  if (excluded !== undefined) return excluded;
  const where = lawCase.when === "" ? stage.subject.name : `${stage.subject.name}, ${lawCase.when}`;
  return world.run(lawCase).problems.map((problem) => `${where}: ${problem}`);
}
