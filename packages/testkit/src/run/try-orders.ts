import { ContractViolation, type GeometryName, randomChooser } from "@nopage/core";
import { exploreLaw } from "../explore/explore-law.ts";
import { NotTheSameProgram } from "../explore/search.ts";
import { searchedMachine } from "../explore/searched-machine.ts";
import type { LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { ModelWorld } from "../model/model-world.ts";

/** What came of running a racy program in many orders of its threads' steps. */
export interface Orders {
  /** Whether a search found the orders, or chance. */
  readonly method: "search" | "random";
  readonly executions: number;
  /** Whether every order that makes a difference was tried. */
  readonly complete: boolean;
  /** What the last one broke. */
  readonly problems: readonly string[];
}

/** Orders that are drawn at random where a search cannot go on and no end is set. */
const MOST_RANDOM = 1000;

/**
 * Tries a program in one order after the other, up to the first that breaks the law. A search finds them, which tries no two
 * that come to the same; of a program that does not do the same again under the same order they are drawn at random, and are
 * never all.
 *
 * @throws ContractViolation what the plugin is to blame for outside of any task
 * @throws Error when the search itself fails: a mistake of the kit
 */
export function tryOrders(
  lawCase: LawCase,
  on: Contender,
  geometry: GeometryName,
  maxExecutions: number,
  search: typeof exploreLaw = exploreLaw,
): Orders {
  try {
    const found = search(lawCase, on, geometry, { maxExecutions, atFailure: "stop" });
    const problems = found.counterexamples.flatMap((counterexample) => counterexample.problems);
    return { method: "search", executions: found.executions, complete: found.complete, problems };
  } catch (cause) {
    if (cause instanceof NotTheSameProgram) {
      return drawOrders(lawCase, on, geometry, Math.min(maxExecutions, MOST_RANDOM));
    }
    if (cause instanceof ContractViolation) throw cause;
    // What a plugin or the law throws ends a task, not the run: this is the search's own.
    throw new Error(
      `the search for orders of steps failed, which is a mistake of the kit: ${String(cause)}`,
      {
        cause,
      },
    );
  }
}

function drawOrders(lawCase: LawCase, on: Contender, geometry: GeometryName, executions: number): Orders {
  for (let seed = 0; seed < executions; seed++) {
    const world = new ModelWorld(on, {
      ...searchedMachine(lawCase, geometry),
      chooser: randomChooser(seed),
    });
    const { problems } = world.run(lawCase);
    if (problems.length > 0) return { method: "random", executions: seed + 1, complete: false, problems };
  }
  return { method: "random", executions, complete: false, problems: [] };
}
