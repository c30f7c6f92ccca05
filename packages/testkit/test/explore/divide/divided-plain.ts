import { conduct } from "#src/explore/divide/conduct";
import { type DividedPlan, dividedBy } from "#src/explore/divide/divided-plan";
import type { Division } from "#src/explore/divide/division";
import { explorePart } from "#src/explore/divide/explore-part";
import type { PartKind, PartTask } from "#src/explore/divide/part-kinds";
import type { Rounds, RoundsData } from "#src/explore/divide/rounds";
import type { Counterexample, Judged } from "#src/explore/judged-runs";
import { plainDependence } from "#src/explore/program/explore-program";
import type { PlainProgram } from "#src/explore/program/plain-program";
import { PlainRun } from "#src/explore/program/plain-run";

/** What a search in parts found in a plain program. */
export interface Found {
  readonly executions: number;
  readonly abandoned: number;
  readonly finalStates: readonly string[];
  readonly counterexamples: readonly Counterexample[];
  readonly complete: boolean;
  readonly coverage: string;
  /** Parts that were handed out. */
  readonly parts: number;
  /** Times that it was saved and begun anew from what was saved. */
  readonly pieces: number;
}

/** How a search in parts is led. */
export interface Led {
  readonly division: Division;
  /** How it is searched; the optimal search when left out. */
  readonly plan?: DividedPlan;
  readonly width?: number;
  /** Runs after which it is saved, and begun anew from that: as text. */
  readonly piece?: number;
  /** Told after each round. */
  watch?(search: Pick<Rounds<PartKind>, "executions" | "remaining">): void;
}

/** Explores a plain program in parts, each of them on a program of its own, and as text on the way there and back. */
export async function exploreDivided(
  program: PlainProgram,
  { division, plan = "optimal", width = 1, piece = Number.POSITIVE_INFINITY, watch }: Led,
): Promise<Found> {
  const states = new Set<string>();
  let [parts, pieces] = [0, 0];
  const goOn = async <K extends PartKind>(search: Rounds<K>) => {
    await conduct<K>(search, {
      maxExecutions: piece,
      atFailure: "go-on",
      width,
      mayGoOn: () => true,
      async explore(task: PartTask<K>) {
        parts++;
        const sent = asText(task);
        // Answers come in another order than they were asked for.
        for (let turns = (7 * parts) % 5; turns > 0; turns--) await undefined;
        return asText(explorePart<K>(sent, new JudgedRun(program, states), plainDependence));
      },
      announce: () => watch?.(search),
    });
    const { isOver, isComplete: complete, executions, abandoned, counterexamples, coverage, data } = search;
    return { isOver, complete, executions, abandoned, counterexamples, coverage, data };
  };
  let saved: RoundsData | undefined;
  for (;;) {
    const { isOver, data, ...found } = await dividedBy(plan, plainDependence, saved, division, goOn);
    pieces++;
    if (isOver) return { ...found, finalStates: [...states].sort(), parts, pieces };
    saved = asText(data);
  }
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
