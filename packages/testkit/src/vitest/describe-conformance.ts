import type { GeometryName } from "@nopage/core";
import { geometries } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { familyOf } from "../laws/law.ts";
import { contendersOf, type Plugin } from "../model/contender.ts";
import { checkExceptions, standingOf } from "../run/exceptions.ts";
import { type RunLawsOptions, selectLaws } from "../run/run-laws.ts";

/**
 * A plugin's whole conformance test: a test for each law on each geometry, named as the law is. What does not apply is
 * shown as skipped, with the reason.
 *
 * @throws Error for a listed exception that has no reason or names no law
 */
export function describeConformance(plugin: Plugin, options: RunLawsOptions = {}): void {
  checkExceptions(options.exceptions ?? []);
  const laws = selectLaws(options.laws);
  const contenders = contendersOf(plugin);
  const chosen = options.geometries ?? (Object.keys(geometries) as GeometryName[]);
  describe(`${plugin.name} keeps the laws of mapping`, () => {
    describe.each(chosen)("on %s", (geometry) => {
      for (const family of new Set(laws.map(({ id }) => familyOf(id)))) {
        describe(family, () => {
          for (const law of laws.filter(({ id }) => familyOf(id) === family)) {
            it(`${law.id} ${law.rule}`, (context) => {
              const { status, reason } = standingOf(law, contenders, geometry, options.exceptions);
              if (status === "skip" || status === "untested") context.skip(reason);
              expect(reason, reason).toBe("");
            });
          }
        });
      }
    });
  });
}
