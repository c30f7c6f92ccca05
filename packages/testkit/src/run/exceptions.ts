import type { GeometryName } from "@nopage/core";
import { nearestName } from "@nopage/core/wiring";
import { allLaws } from "../laws/all-laws.ts";
import { geometryNames } from "./geometry-names.ts";
import type { LawStanding } from "./results.ts";

/** A law that a plugin is known to break, and why that is accepted. */
export interface LawException {
  readonly law: string;
  readonly reason: string;
  /** The geometries on which it is broken, on each of them; any where left out. */
  readonly geometries?: readonly GeometryName[];
}

/**
 * Checks a list of exceptions before anything runs.
 *
 * @throws Error that lists every exception without a reason, every one that names no law, and every one that is there twice
 */
export function checkExceptions(exceptions: readonly LawException[]): void {
  const ids = allLaws.map(({ id }) => id);
  const wrong = exceptions.flatMap(({ law, reason, geometries }, index) => {
    if (!ids.includes(law)) {
      const nearest = nearestName(law, ids);
      const choice = nearest === undefined ? "" : `; nearest is ${nearest}`;
      return [`there is no law ${JSON.stringify(law)}${choice}`];
    }
    if (reason.trim() === "") return [`the exception for ${law} gives no reason`];
    const unknown = geometries?.filter((name) => !geometryNames.includes(name)) ?? [];
    if (unknown.length > 0) {
      return unknown.map((name) => {
        const nearest = nearestName(name, geometryNames);
        return `the exception for ${law} names no geometry with ${JSON.stringify(name)}; nearest is ${nearest ?? "none"}`;
      });
    }
    const isRepeated = exceptions.slice(0, index).some((earlier) => earlier.law === law);
    return isRepeated ? [`there are two exceptions for ${law}`] : [];
  });
  if (wrong.length > 0) throw new Error(`exceptions: ${wrong.join("; ")}`);
}

/** How a law stands on one geometry. */
export interface PlacedStanding extends LawStanding {
  readonly geometry: GeometryName;
}

/**
 * How a law stands with its exception counted in, on each geometry: where it is broken as expected it is skipped with the
 * reason. An exception for a law that is broken on none of them is a failure on all; one for a geometry on which it is not
 * broken is a failure there.
 */
export function standingsWith(
  { law, reason, geometries }: LawException,
  standings: readonly PlacedStanding[],
): readonly PlacedStanding[] {
  const isBroken = standings.some(({ status }) => status === "fail");
  return standings.map((standing): PlacedStanding => {
    const isMeant = geometries?.includes(standing.geometry) ?? true;
    if (!isMeant) return standing;
    if (standing.status === "fail") return { ...standing, status: "skip", reason: `excepted: ${reason}` };
    if (geometries === undefined && isBroken) return standing;
    const where = geometries === undefined ? "" : ` on ${standing.geometry}`;
    const needless = `${law} is excepted${where}, because ${reason}; but it is not broken`;
    return { ...standing, status: "fail", reason: needless };
  });
}
