import type { LawCase } from "@nopage/testkit";
import { selectLaws } from "@nopage/testkit/conform";
import type { CaughtMutant, ExploredMutant } from "@nopage/testkit/mutants";

/** What the search made of a mutant, with whether the program that caught it has threads that race. */
export interface ToldMutant extends ExploredMutant {
  readonly caught: (CaughtMutant & Pick<LawCase, "schedule">) | undefined;
}

/** The same, with what the law says of its program: where nobody races, the search of orders had no part in it. */
export function toldMutant(mutant: ExploredMutant): ToldMutant {
  if (mutant.caught === undefined) return { ...mutant, caught: undefined };
  const { law, when, ...found } = mutant.caught;
  return { ...mutant, caught: { law, when, schedule: scheduleOf(law, when), ...found } };
}

function scheduleOf(id: string, when: string): LawCase["schedule"] {
  const cases = selectLaws([id]).flatMap((law) => (law.level === "untested" ? [] : law.cases));
  const found = cases.find((one) => one.when === when);
  if (found === undefined) throw new Error(`${id} has no program "${when}"`);
  return found.schedule;
}
