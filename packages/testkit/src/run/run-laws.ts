import type { GeometryName } from "@nopage/core";
import { allLaws } from "../laws/all-laws.ts";
import { type AnyLaw, familyOf } from "../laws/law.ts";
import { type Contender, contendersOf, type Plugin } from "../model/contender.ts";
import { checkExceptions, type LawException, standingsWith } from "./exceptions.ts";
import { geometryNames } from "./geometry-names.ts";
import type { LawResult } from "./results.ts";
import { runLaw } from "./run-law.ts";

/** Which laws are run, and where; all of them, on every geometry, when left out. */
export interface RunLawsOptions {
  /** Ids, such as `LK-06`, or families, such as `LK`. */
  readonly laws?: readonly string[];
  readonly geometries?: readonly GeometryName[];
  /** Laws that the plugin is known to break; each needs a reason, and is a failure itself once it is kept. */
  readonly exceptions?: readonly LawException[];
  /** Orders of steps in which each racy program is tried on each kind of memory; a small sample when left out. */
  readonly maxExecutions?: number;
}

/** Holds a plugin to the laws, on every kind of memory that it shows: one result a law and geometry. */
export function runLaws(plugin: Plugin, options: RunLawsOptions = {}): readonly LawResult[] {
  return [...resultsOf(plugin, options)];
}

/**
 * The same, one law after the other, for who wants to see how it goes on.
 *
 * @throws Error for a listed exception that has no reason or names no law
 */
export function* resultsOf(plugin: Plugin, options: RunLawsOptions = {}): Generator<LawResult, void, void> {
  const { exceptions = [], maxExecutions } = options;
  checkExceptions(exceptions);
  const chosen = options.geometries ?? geometryNames;
  const contenders = contendersOf(plugin);
  const accessor = accessorOf(contenders);
  for (const law of selectLaws(options.laws)) {
    const standings = chosen.map((geometry) => ({
      geometry,
      ...runLaw(law, contenders, geometry, maxExecutions),
    }));
    const exception = exceptions.find((listed) => listed.law === law.id);
    const counted = exception === undefined ? standings : standingsWith(exception, standings);
    for (const standing of counted) yield { strategy: plugin.name, accessor, law: law.id, ...standing };
  }
}

/** The laws of the ids and families given, in capitals or not, in their own order; all where none is given. */
export function selectLaws(wanted: readonly string[] | undefined): readonly AnyLaw[] {
  if (wanted === undefined) return allLaws;
  const names = new Set(wanted.map((name) => name.toUpperCase()));
  return allLaws.filter(({ id }) => names.has(id) || names.has(familyOf(id)));
}

/** Who touches the memory: user space, or a device by the process's addresses. */
function accessorOf(contenders: readonly Contender[]): LawResult["accessor"] {
  return contenders.some(({ trial }) => trial === "mapping") ? "cpu" : "device";
}
