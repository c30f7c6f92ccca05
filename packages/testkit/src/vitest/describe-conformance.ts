import { describe, expect, it } from "vitest";
import { type AnyLaw, familyOf } from "../laws/law.ts";
import { type Contender, contendersOf, type Plugin } from "../model/contender.ts";
import { checkExceptions, type PlacedStanding, standingsWith } from "../run/exceptions.ts";
import { geometryNames } from "../run/geometry-names.ts";
import { runLaw } from "../run/run-law.ts";
import { type RunLawsOptions, selectLaws } from "../run/run-laws.ts";

export type { LawException } from "../run/exceptions.ts";
export type { RunLawsOptions } from "../run/run-laws.ts";

/** A machine that is busy with something else makes a law slow, not broken. */
const LONGEST_LAW_MS = 60_000;

/** Nine in ten of the programs that start threads have no more orders. */
const MOST_SEQUENTIAL = 1000;

/**
 * A plugin's whole conformance test: a test for each law that is about plugins of its kind, named as the law is, and one for
 * each exception, which holds as long as the law is broken somewhere. What does not apply is shown as skipped, with the
 * reason.
 *
 * A law is run on every geometry; orders of its threads' steps, which a geometry does not change, are tried on the first
 * alone: those that may matter, of racy programs, and fewer of those that must not.
 *
 * @throws Error for a listed exception that has no reason or names no law
 */
export function describeConformance(plugin: Plugin, options: RunLawsOptions = {}): void {
  const { exceptions = [], geometries = geometryNames, maxExecutions } = options;
  checkExceptions(exceptions);
  const contenders = contendersOf(plugin);
  const laws = selectLaws(options.laws).filter((law) => isAbout(law, contenders));
  const standings = (law: AnyLaw): readonly PlacedStanding[] =>
    geometries.map((geometry, index) => ({
      geometry,
      ...(index === 0
        ? runLaw(law, contenders, geometry, maxExecutions, sequentialOrders(maxExecutions))
        : runLaw(law, contenders, geometry, 1)),
    }));
  describe(`${plugin.name} keeps the laws of mapping`, () => {
    for (const family of new Set(laws.map(({ id }) => familyOf(id)))) {
      describe(family, () => {
        for (const law of laws.filter(({ id }) => familyOf(id) === family)) {
          const exception = exceptions.find(({ law: id }) => id === law.id);
          if (exception !== undefined) {
            it(
              `${law.id} is still broken, which is excepted: ${exception.reason}`,
              () => {
                const needless = standingsWith(exception, standings(law)).find(
                  ({ status }) => status === "fail",
                );
                expect(needless?.reason ?? "").toBe("");
              },
              LONGEST_LAW_MS,
            );
            continue;
          }
          it(
            `${law.id} ${law.rule}`,
            (context) => {
              const all = standings(law);
              const broken = all.flatMap(({ geometry, status, reason }) =>
                status === "fail" ? [`on ${geometry}: ${reason}`] : [],
              );
              expect(broken.join("\n"), broken.join("\n")).toBe("");
              if (all.every(({ status }) => status !== "pass")) context.skip(all[0]?.reason);
            },
            LONGEST_LAW_MS,
          );
        }
      });
    }
  });
}

/** Whether a law has a program for plugins of this kind, or says of itself that nothing can show it. */
function isAbout(law: AnyLaw, contenders: readonly Contender[]): boolean {
  if (law.level === "untested") return true;
  return law.cases.some(({ about = ["mapping"] }) => contenders.some(({ trial }) => about.includes(trial)));
}

/** How many orders are tried of programs in which none matters: two in the quick suite, and at most this many. */
function sequentialOrders(maxExecutions: number | undefined): number {
  return maxExecutions === undefined ? 2 : Math.min(maxExecutions, MOST_SEQUENTIAL);
}
