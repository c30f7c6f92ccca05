import { conduct } from "#src/explore/divide/conduct";
import { type DividedData, DividedSearch, type Division } from "#src/explore/divide/divided-search";
import { exploreSubTree, type Judged } from "#src/explore/divide/explore-sub-tree";
import type { SubTreeTask } from "#src/explore/divide/sub-tree-task";
import type { Counterexample } from "#src/explore/explore-law";
import { plainDependence } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import { PlainRun } from "#src/explore/program/plain-run";

/** What a search in parts found in a plain program. */
export interface Found {
  readonly executions: number;
  readonly abandoned: number;
  readonly finalStates: readonly string[];
  readonly counterexamples: readonly Counterexample[];
  /** Parts that were handed out. */
  readonly parts: number;
  /** Times that it was saved and begun anew from what was saved. */
  readonly pieces: number;
}

/** How a search in parts is led. */
export interface Led {
  readonly division: Division;
  readonly width?: number;
  /** Runs after which it is saved, and begun anew from that: as text. */
  readonly piece?: number;
  /** Told after each round. */
  watch?(search: DividedSearch): void;
}

/** Explores a plain program in parts, each of them on a program of its own, and as text on the way there and back. */
export async function exploreDivided(
  program: PlainProgram,
  { division, width = 1, piece = Number.POSITIVE_INFINITY, watch }: Led,
): Promise<Found> {
  const states = new Set<string>();
  let [parts, pieces] = [0, 0];
  const explore = async (task: SubTreeTask) => {
    parts++;
    const sent = asText(task);
    // Answers come in another order than they were asked for.
    for (let turns = (7 * parts) % 5; turns > 0; turns--) await undefined;
    return asText(exploreSubTree(sent, new JudgedRun(program, states), plainDependence));
  };
  let search = new DividedSearch(plainDependence, undefined, division);
  while (!search.isOver) {
    await conduct(search, {
      maxExecutions: piece,
      atFailure: "go-on",
      width,
      mayGoOn: () => true,
      explore,
      announce: () => watch?.(search),
    });
    pieces++;
    search = new DividedSearch(plainDependence, asText<DividedData>(search.data));
  }
  const { executions, abandoned, counterexamples } = search;
  return { executions, abandoned, finalStates: [...states].sort(), counterexamples, parts, pieces };
}

function asText<T>(data: T): T {
  return JSON.parse(JSON.stringify(data)) as T;
}

/** A plain program of which the final states are noted. */
class JudgedRun implements Judged {
  outcome: Counterexample = { problems: [], schedule: [] };
  readonly #run: PlainRun;
  readonly #states: Set<string>;

  constructor(program: PlainProgram, states: Set<string>) {
    this.#run = new PlainRun(program);
    this.#states = states;
  }

  run(choose: Parameters<Judged["run"]>[0]): ReturnType<Judged["run"]> {
    return this.#run.run(choose);
  }

  keepOutcome(): void {
    this.#run.keepOutcome();
    const { state, failure, schedule } = this.#run.outcome;
    if (failure === undefined) this.#states.add(JSON.stringify(state) ?? "undefined");
    this.outcome = { problems: failure === undefined ? [] : [failure], schedule };
  }
}
