import { describe, expect, it } from "vitest";
import { exploreLaw } from "#src/explore/explore-law";
import { racyProgramsOf } from "#src/explore/racy-programs";
import type { Plugin } from "#src/model/contender";
import { selectLaws } from "#src/run/run-laws";

/**
 * Every racy program of the laws in every order of steps that makes a difference, on every kind of memory that a plugin shows. A
 * run that was given up would mean that the machine does not announce all that it touches.
 */
export function describeCompleteSearch(plugin: Plugin): void {
  describe(`${plugin.name} in every order`, () => {
    for (const { law, index, lawCase, contender } of racyProgramsOf(
      selectLaws(undefined),
      plugin,
      "x86-64",
    )) {
      const name = `${law}, program ${index + 1}${lawCase.when === "" ? "" : `, ${lawCase.when}`}, on ${contender.name}`;
      it(`MUST keep ${name}`, () => {
        const { complete, abandoned, counterexamples } = exploreLaw(lawCase, contender, "x86-64", {
          atFailure: "stop",
        });
        expect(counterexamples.flatMap(({ problems }) => problems)).toEqual([]);
        expect({ complete, abandoned }).toEqual({ complete: true, abandoned: 0 });
      });
    }
  });
}
