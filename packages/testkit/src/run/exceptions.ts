import type { GeometryName } from "@nopage/core";
import { allLaws } from "../laws/all-laws.ts";
import type { AnyLaw } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import type { LawResult } from "./results.ts";
import { runLaw } from "./run-law.ts";

/** A law that a plugin is known to break, and why that is accepted. */
export interface LawException {
  readonly law: string;
  readonly reason: string;
}

/**
 * Checks a list of exceptions before anything runs.
 *
 * @throws Error that lists every exception without a reason, and every one that names no law
 */
export function checkExceptions(exceptions: readonly LawException[]): void {
  const wrong = exceptions.flatMap(({ law, reason }) => {
    if (!allLaws.some(({ id }) => id === law)) return [`there is no law ${JSON.stringify(law)}`];
    return reason.trim() === "" ? [`the exception for ${law} gives no reason`] : [];
  });
  if (wrong.length > 0) throw new Error(`exceptions: ${wrong.join("; ")}`);
}

/**
 * How a law stands, its exceptions counted in: a law that is broken as expected is skipped with the reason, and an
 * exception for a law that is not broken is itself a failure.
 */
export function standingOf(
  law: AnyLaw,
  contenders: readonly Contender[],
  geometry: GeometryName,
  exceptions: readonly LawException[] = [],
): Pick<LawResult, "status" | "reason"> {
  if (law.level === "untested") return { status: "untested", reason: law.reason };
  const standing = runLaw(law, contenders, geometry);
  const exception = exceptions.find((listed) => listed.law === law.id);
  if (exception === undefined) return standing;
  if (standing.status === "fail") return { status: "skip", reason: `excepted: ${exception.reason}` };
  return {
    status: "fail",
    reason: `${law.id} is excepted, because ${exception.reason}; but it is not broken`,
  };
}
