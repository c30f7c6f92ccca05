import { describe, expect, it } from "vitest";
import { exploreLaw } from "#src/explore/explore-law";
import { racyProgramsOf } from "#src/explore/racy-programs";
import type { LawCase } from "#src/laws/law";
import { type Contender, contendersOf, type Plugin } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { whyBeside } from "#src/run/run-case";
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

/**
 * Programs of which no order may matter and that have more orders than can be run, where faults wait: of threads that all wait and are
 * woken together, or of very many steps. A search of 50 s for each ended none of them.
 */
const endless: ReadonlySet<string> = new Set([
  "RE-12, program 3",
  "RV-06, program 1",
  "RV-08, program 1",
  "QU-01, program 1",
  "QU-03, program 2",
  "QU-04, program 1",
  "QU-06, program 1",
  "QU-07, program 1",
  "QU-09, program 1",
  "QU-09, program 2",
  "QU-09, program 3",
  "AT-05, program 1",
  "MN-02, program 2",
]);

/** No other program has more orders; and of these so many are tried. */
const MANY = 1000;
const SOME = 250;

/**
 * Every other program of the laws that starts threads in every order of steps that makes a difference, of which none may matter, on the
 * first kind of memory that it applies to.
 */
export function describeSequentialSearch(plugin: Plugin): void {
  describe(`${plugin.name} in every order of programs in which none may matter`, () => {
    for (const { name, lawCase, contender } of sequentialProgramsOf(plugin)) {
      const isEndless = endless.has(name);
      it(`MUST keep ${name}, on ${contender.name}${isEndless ? ", as far as it was tried" : ""}`, () => {
        const { complete, counterexamples } = exploreLaw(lawCase, contender, "x86-64", {
          atFailure: "stop",
          maxExecutions: isEndless ? SOME : MANY,
        });
        expect(counterexamples.flatMap(({ problems }) => problems)).toEqual([]);
        expect(complete || isEndless).toBe(true);
      });
    }
  });
}

interface SequentialProgram {
  readonly name: string;
  readonly lawCase: LawCase;
  readonly contender: Contender;
}

function* sequentialProgramsOf(plugin: Plugin): Generator<SequentialProgram, void, void> {
  const contenders = contendersOf(plugin);
  for (const law of selectLaws(undefined)) {
    if (law.level === "untested") continue;
    for (const [index, lawCase] of law.cases.entries()) {
      if (lawCase.schedule === "racy" || lawCase.provokes !== undefined) continue;
      const contender = contenders.find((one) => startsThreads(lawCase, one));
      if (contender !== undefined) yield { name: `${law.id}, program ${index + 1}`, lawCase, contender };
    }
  }
}

/** Whether a program applies to a contender and has more than one task there. */
function startsThreads(lawCase: LawCase, contender: Contender): boolean {
  if (whyBeside(lawCase, contender.trial) !== undefined) return false;
  const world = new ModelWorld(contender, { ...lawCase.machine, geometry: "x86-64" });
  if (lawCase.excluded?.(world.stage) !== undefined) return false;
  world.run(lawCase);
  return world.machine.sched.tasks.length > 1;
}
