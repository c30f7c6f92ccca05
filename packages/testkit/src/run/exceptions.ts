import { nearestName } from "@nopage/core/wiring";
import { allLaws } from "../laws/all-laws.ts";
import type { LawStanding } from "./results.ts";

/** A law that a plugin is known to break, and why that is accepted. */
export interface LawException {
  readonly law: string;
  readonly reason: string;
}

/**
 * Checks a list of exceptions before anything runs.
 *
 * @throws Error that lists every exception without a reason, every one that names no law, and every one that is there twice
 */
export function checkExceptions(exceptions: readonly LawException[]): void {
  const ids = allLaws.map(({ id }) => id);
  const wrong = exceptions.flatMap(({ law, reason }, index) => {
    if (!ids.includes(law)) {
      const nearest = nearestName(law, ids);
      const choice = nearest === undefined ? "" : `; nearest is ${nearest}`;
      return [`there is no law ${JSON.stringify(law)}${choice}`];
    }
    if (reason.trim() === "") return [`the exception for ${law} gives no reason`];
    const isRepeated = exceptions.slice(0, index).some((earlier) => earlier.law === law);
    return isRepeated ? [`there are two exceptions for ${law}`] : [];
  });
  if (wrong.length > 0) throw new Error(`exceptions: ${wrong.join("; ")}`);
}

/**
 * How a law stands with its exception counted in, on each geometry: where it is broken as expected it is skipped with the
 * reason. An exception for a law that is broken on none of them is a failure on all.
 */
export function standingsWith(
  { law, reason }: LawException,
  standings: readonly LawStanding[],
): readonly LawStanding[] {
  if (standings.some(({ status }) => status === "fail")) {
    return standings.map((standing) =>
      standing.status === "fail" ? { ...standing, status: "skip", reason: `excepted: ${reason}` } : standing,
    );
  }
  const needless = `${law} is excepted, because ${reason}; but it is not broken`;
  return standings.map((standing) => ({ ...standing, status: "fail", reason: needless }));
}
