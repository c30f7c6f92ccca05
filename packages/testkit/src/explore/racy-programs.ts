import type { GeometryName } from "@nopage/core";
import type { AnyLaw, LawCase } from "../laws/law.ts";
import { type Contender, contendersOf, type Plugin } from "../model/contender.ts";
import { ModelWorld } from "../model/model-world.ts";
import { whyBeside } from "../run/run-case.ts";

/** A program of a law in which the order of the threads' steps may make a difference, on one contender. */
export interface RacyProgram {
  readonly law: string;
  /** The position of the program among those of its law. */
  readonly index: number;
  readonly lawCase: LawCase;
  readonly contender: Contender;
}

/** The programs of laws that there is something to explore in, with every contender that each applies to. */
export function racyProgramsOf(
  laws: readonly AnyLaw[],
  plugin: Plugin,
  geometry: GeometryName,
): readonly RacyProgram[] {
  const contenders = contendersOf(plugin);
  return laws.flatMap((law) => {
    if (law.level === "untested") return [];
    return law.cases.flatMap((lawCase, index) => {
      if (lawCase.schedule !== "racy") return [];
      const on = contenders.filter((contender) => applies(lawCase, contender, geometry));
      const tried = lawCase.kinds === "one" ? on.slice(0, 1) : on;
      return tried.map((contender) => ({ law: law.id, index, lawCase, contender }));
    });
  });
}

function applies(lawCase: LawCase, contender: Contender, geometry: GeometryName): boolean {
  if (whyBeside(lawCase, contender.trial) !== undefined) return false;
  if (lawCase.excluded === undefined) return true;
  const world = new ModelWorld(contender, { ...lawCase.machine, geometry });
  return lawCase.excluded(world.stage) === undefined;
}
