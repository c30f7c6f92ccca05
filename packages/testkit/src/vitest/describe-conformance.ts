import { describe, expect, it } from "vitest";
import { familyOf } from "../laws/law.ts";
import { contendersOf, type Plugin } from "../model/contender.ts";
import { checkExceptions, standingsWith } from "../run/exceptions.ts";
import { runLaw } from "../run/run-law.ts";
import { geometryNames, type RunLawsOptions, selectLaws } from "../run/run-laws.ts";

export type { LawException } from "../run/exceptions.ts";
export type { RunLawsOptions } from "../run/run-laws.ts";

/**
 * A plugin's whole conformance test: a test for each law on each geometry, named as the law is, and one for each exception,
 * which holds as long as the law is broken somewhere. What does not apply is shown as skipped, with the reason.
 *
 * @throws Error for a listed exception that has no reason or names no law
 */
export function describeConformance(plugin: Plugin, options: RunLawsOptions = {}): void {
  const { exceptions = [], geometries = geometryNames, maxExecutions } = options;
  checkExceptions(exceptions);
  const laws = selectLaws(options.laws);
  const contenders = contendersOf(plugin);
  const exceptionOf = (id: string) => exceptions.find(({ law }) => law === id);
  describe(`${plugin.name} keeps the laws of mapping`, () => {
    describe.each(geometries)("on %s", (geometry) => {
      for (const family of new Set(laws.map(({ id }) => familyOf(id)))) {
        describe(family, () => {
          for (const law of laws.filter(({ id }) => familyOf(id) === family)) {
            it(`${law.id} ${law.rule}`, (context) => {
              const { status, reason } = runLaw(law, contenders, geometry, maxExecutions);
              const exception = exceptionOf(law.id);
              if (status === "fail" && exception !== undefined) context.skip(`excepted: ${exception.reason}`);
              if (status === "skip" || status === "untested") context.skip(reason);
              expect(reason, reason).toBe("");
            });
          }
        });
      }
    });
    for (const law of laws) {
      const exception = exceptionOf(law.id);
      if (exception === undefined) continue;
      it(`${law.id} is still broken, which is excepted`, () => {
        const standings = geometries.map((geometry) => runLaw(law, contenders, geometry, maxExecutions));
        const needless = standingsWith(exception, standings).find(({ status }) => status === "fail");
        expect(needless?.reason ?? "").toBe("");
      });
    }
  });
}
