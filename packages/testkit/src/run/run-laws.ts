import { type GeometryName, geometries } from "@nopage/core";
import { allLaws } from "../laws/all-laws.ts";
import { type AnyLaw, familyOf } from "../laws/law.ts";
import { contendersOf, type Plugin } from "../model/contender.ts";
import { checkExceptions, type LawException, standingOf } from "./exceptions.ts";
import type { LawResult } from "./results.ts";

/** Which laws are run, and where; all of them, on every geometry, when left out. */
export interface RunLawsOptions {
  /** Ids, such as `LK-06`, or families, such as `LK`. */
  readonly laws?: readonly string[];
  readonly geometries?: readonly GeometryName[];
  /** Laws that the plugin is known to break; each needs a reason, and is a failure itself once it is kept. */
  readonly exceptions?: readonly LawException[];
}

/** Holds a plugin to the laws, on every kind of memory that it shows: one result a law and geometry. */
export function runLaws(plugin: Plugin, options: RunLawsOptions = {}): readonly LawResult[] {
  checkExceptions(options.exceptions ?? []);
  const chosen = options.geometries ?? (Object.keys(geometries) as GeometryName[]);
  const laws = selectLaws(options.laws);
  const contenders = contendersOf(plugin);
  const accessor = contenders.some(({ trial }) => trial === "mapping") ? "cpu" : "device";
  return chosen.flatMap((geometry) =>
    laws.map((law) => ({
      strategy: plugin.name,
      geometry,
      accessor,
      law: law.id,
      ...standingOf(law, contenders, geometry, options.exceptions),
    })),
  );
}

/** The laws of the ids and families given, in their order; all where none is given. */
export function selectLaws(wanted: readonly string[] | undefined): readonly AnyLaw[] {
  if (wanted === undefined) return allLaws;
  return allLaws.filter(({ id }) => wanted.includes(id) || wanted.includes(familyOf(id)));
}
