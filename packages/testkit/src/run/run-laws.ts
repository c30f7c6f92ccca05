import { type BackingKind, type GeometryName, geometries, type MappingStrategy } from "@nopage/core";
import { allLaws } from "../laws/all-laws.ts";
import { type AnyLaw, familyOf } from "../laws/law.ts";
import type { StrategyOnMemory } from "../model/model-subject.ts";
import type { LawResult } from "./results.ts";
import { runLaw } from "./run-law.ts";

/** Which laws are run, and where; all of them, on every geometry, when left out. */
export interface RunLawsOptions {
  /** Ids, such as `LK-06`, or families, such as `LK`. */
  readonly laws?: readonly string[];
  readonly geometries?: readonly GeometryName[];
}

/** Holds a strategy to the laws, on every kind of memory that it shows: one result a law and geometry. */
export function runLaws(strategy: MappingStrategy, options: RunLawsOptions = {}): readonly LawResult[] {
  const chosen = options.geometries ?? (Object.keys(geometries) as GeometryName[]);
  const laws = selectLaws(options.laws);
  return chosen.flatMap((geometry) => laws.map((law) => resultOf(law, strategy, geometry)));
}

/** The laws of the ids and families given, in their order; all where none is given. */
export function selectLaws(wanted: readonly string[] | undefined): readonly AnyLaw[] {
  if (wanted === undefined) return allLaws;
  return allLaws.filter(({ id }) => wanted.includes(id) || wanted.includes(familyOf(id)));
}

function resultOf(law: AnyLaw, strategy: MappingStrategy, geometry: GeometryName): LawResult {
  const where = { strategy: strategy.name, geometry, accessor: "cpu", law: law.id } as const;
  if (law.level === "untested") return { ...where, status: "untested", reason: law.reason };
  return { ...where, ...runLaw(law, memoriesOf(strategy), geometry) };
}

/** Every kind of memory that a strategy shows, and the one with holes where it shows those. */
export function memoriesOf(strategy: MappingStrategy): readonly StrategyOnMemory[] {
  const { backing, holes } = strategy.supports;
  const whole = backing.map((kind: BackingKind) => ({ strategy, backing: kind, holes: "none" }) as const);
  return holes && backing.includes("page-array")
    ? [...whole, { strategy, backing: "page-array", holes: "some" }]
    : whole;
}
