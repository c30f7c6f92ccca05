import type { GeometryName } from "@nopage/core";
import type { LawCase, Trial } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { ModelWorld } from "../model/model-world.ts";
import { withCountedCalls } from "./counted-calls.ts";
import { type Orders, tryOrders } from "./try-orders.ts";

/** What came of one program of a law on one contender. */
export type CaseEnd =
  | { readonly kind: "excluded"; readonly why: string }
  | {
      readonly kind: "run";
      readonly problems: readonly string[];
      /** Orders of steps that were tried; undefined for a program of which there is only one. */
      readonly explored?: Omit<Orders, "problems">;
    };

/**
 * Runs one program of a law in a world of its own. One in which the order of the threads' steps may make a difference is run
 * in order of starting first, and then in other orders, up to the first that breaks the law.
 *
 * So is any other program that starts threads, where more than one order is asked for: none may make a difference. A program
 * that breaks a rule on purpose is run once, as nothing is said of what comes of that.
 *
 * Whatever is thrown, by whomever, is a problem of this case and of no other.
 *
 * @param maxExecutions orders to try of a racy program
 * @param sequentialExecutions orders to try of any other
 */
export function runCase(
  lawCase: LawCase,
  on: Contender,
  geometry: GeometryName,
  maxExecutions: number,
  sequentialExecutions = 1,
): CaseEnd {
  const beside = whyBeside(lawCase, on.trial);
  if (beside !== undefined) return { kind: "excluded", why: beside };
  const named = (problem: string): string =>
    `${lawCase.when === "" ? on.name : `${on.name}, ${lawCase.when}`}: ${problem}`;
  try {
    const world = new ModelWorld(on, { ...lawCase.machine, geometry });
    const excluded = lawCase.excluded?.(world.stage);
    if (excluded !== undefined) return { kind: "excluded", why: excluded };
    const { problems } = world.run(withCountedCalls(lawCase));
    if (problems.length > 0) return { kind: "run", problems: problems.map(named) };
    if (lawCase.schedule === "racy") return explored(lawCase, on, geometry, maxExecutions, named);
    const isAlone = world.machine.sched.tasks.length < 2;
    if (isAlone || sequentialExecutions < 2 || lawCase.provokes !== undefined) {
      return { kind: "run", problems: [] };
    }
    const end = explored(lawCase, on, geometry, sequentialExecutions, named);
    // Orders that must not matter are not told among those that may.
    return { kind: "run", problems: end.problems };
  } catch (thrown) {
    return { kind: "run", problems: [named(thrown instanceof Error ? thrown.message : String(thrown))] };
  }
}

/** Why a program is not for what is tried; undefined where it is. */
export function whyBeside({ about = ["mapping"] }: LawCase, trial: Trial): string | undefined {
  return about.includes(trial) ? undefined : `it is about ${about.join(" and ")}`;
}

function explored(
  lawCase: LawCase,
  on: Contender,
  geometry: GeometryName,
  maxExecutions: number,
  named: (problem: string) => string,
): Extract<CaseEnd, { readonly kind: "run" }> {
  const { problems, ...tried } = tryOrders(lawCase, on, geometry, maxExecutions);
  const told = problems.map((problem) =>
    named(`in order ${tried.executions} of those that were tried, ${problem}`),
  );
  return { kind: "run", problems: told, explored: tried };
}
