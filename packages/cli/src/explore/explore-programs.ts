import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import type { GeometryName } from "@nopage/core";
import {
  type DividedPlan,
  exploreLawInParts,
  type LawExploration,
  NotTheSameProgram,
  nameOfProgram,
  type PartAnswer,
  type PartKind,
  type PartsProgress,
  type PartTask,
  type RacyProgram,
  type RoundsData,
} from "@nopage/testkit";
import type { SearchLimits } from "./explore-flags.ts";
import type { SavedProgram } from "./search-file.ts";
import { WorkerPool } from "./worker-pool.ts";

/** What an exploration of programs is about, and who is told of it. */
export interface ProgramsToExplore {
  readonly programs: readonly RacyProgram[];
  readonly geometry: GeometryName;
  readonly plan: DividedPlan;
  readonly limits: SearchLimits;
  /** The plugin as it was named, and the folder from which that counts. */
  readonly plugin: string;
  readonly directory: string;
  /** How far an earlier exploration has come. */
  readonly saved: readonly SavedProgram[];
  /** Whether somebody wants it to stop. */
  isInterrupted(): boolean;
  /** Told now and then how far the exploration of a program has come. */
  announce(program: RacyProgram, progress: Progress): void;
  /** Told of what has to be known and is no result. */
  warn(text: string): void;
  /** Told now and then, and at the end, what there is to save of the search. */
  checkpoint(programs: readonly SavedProgram[]): void;
}

/** How far the exploration of a program has come in how many seconds. */
export interface Progress extends Partial<PartsProgress> {
  readonly executions: number;
  /** What each of them is: a trace that no other comes to, or a schedule that may come to the same as another. */
  readonly each: "trace" | "schedule";
  /** Runs made now, where some were made earlier. */
  readonly made: number;
  readonly seconds: number;
}

/** What came of a program: runs that remain, as far as can be told, where it was left off. */
export interface ExploredProgram {
  readonly program: RacyProgram;
  readonly found: LawExploration & { readonly remaining: number | undefined };
}

/** Milliseconds between two times that a search is saved. */
const INTERVAL = 10_000;

/** Milliseconds that a search takes before it is worth the start of threads. */
const ALONE = 700;

/**
 * Explores programs, each until it fails or as far as the limits allow: what came of each, in their order.
 *
 * @throws NotTheSameProgram, with the name of the program, when one does not do the same again under the same order
 */
export async function explorePrograms(about: ProgramsToExplore): Promise<readonly ExploredProgram[]> {
  return await new ParallelExploration(about).run();
}

/** Several programs at a time, and parts of each, where there are threads for it. */
class ParallelExploration {
  readonly #about: ProgramsToExplore;
  readonly #workers: number;
  readonly #mayGoOn: () => boolean;
  readonly #started = performance.now();
  #pool: WorkerPool | undefined = undefined;
  #hasWarned = false;
  /** By program, what there is to save. */
  readonly #saved: ((() => RoundsData) | undefined)[];
  #lastSaved = performance.now();

  constructor(about: ProgramsToExplore) {
    this.#about = about;
    this.#workers = about.limits.workers ?? availableParallelism();
    this.#mayGoOn = stopwatchOf(about);
    this.#saved = about.programs.map((program) => {
      const name = JSON.stringify(nameOfProgram(program, about.geometry));
      const saved = about.saved.find((one) => JSON.stringify(one.program) === name)?.saved;
      return saved === undefined ? undefined : () => saved;
    });
  }

  async run(): Promise<readonly ExploredProgram[]> {
    const { programs } = this.#about;
    const results: ExploredProgram[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < programs.length) {
        const at = next++;
        results[at] = await this.#explore(programs[at] as RacyProgram, at);
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#workers }, work));
    } finally {
      await this.#pool?.end();
    }
    this.#save();
    return results;
  }

  async #explore(program: RacyProgram, at: number): Promise<ExploredProgram> {
    const { geometry, limits, plan } = this.#about;
    const before = this.#saved[at]?.();
    const started = performance.now();
    let first: number | undefined;
    const each = plan === "optimal" ? "trace" : "schedule";
    const found = await exploreLawInParts(program, geometry, {
      plan,
      maxExecutions: limits.maxExecutions,
      atFailure: "stop",
      width: this.#workers,
      ...(before === undefined ? {} : { saved: before }),
      mayGoOn: this.#mayGoOn,
      explore: (part, here) => this.#explorePart(program, part, here),
      announce: (progress, saved) => {
        first ??= progress.executions;
        const seconds = (performance.now() - started) / 1000;
        this.#about.announce(program, { ...progress, each, made: progress.executions - first, seconds });
        this.#saved[at] = saved;
        if (performance.now() - this.#lastSaved > INTERVAL) this.#save();
      },
    }).catch((failure: unknown) => {
      if (!(failure instanceof NotTheSameProgram)) throw failure;
      throw new NotTheSameProgram(`${program.law}, on ${program.contender.name}: ${failure.message}`);
    });
    this.#saved[at] = () => found.saved;
    return { program, found };
  }

  /** By a worker where there are any, and otherwise here: so is a part that a worker does not come to an end with. */
  async #explorePart<K extends PartKind>(
    program: RacyProgram,
    part: PartTask<K>,
    here: (part: PartTask<K>) => PartAnswer<K>,
  ): Promise<PartAnswer<K>> {
    const { plugin, directory, geometry } = this.#about;
    // Others get a turn: threads that have answered, and who wants it to stop.
    await setImmediate();
    const pool = this.#readyPool();
    if (pool === undefined) return here(part);
    try {
      return await pool.explore({ plugin, directory, program: nameOfProgram(program, geometry), part });
    } catch {
      // What is wrong is told in full where it happens again.
      return here(part);
    }
  }

  /** The threads, when they are wanted and ready. */
  #readyPool(): WorkerPool | undefined {
    if (this.#workers === 1) return undefined;
    const { plugin, directory } = this.#about;
    if (this.#pool === undefined && performance.now() - this.#started > ALONE) {
      this.#pool = new WorkerPool(this.#workers, plugin, directory);
    }
    const failure = this.#pool?.failure;
    if (failure !== undefined && !this.#hasWarned) {
      this.#hasWarned = true;
      this.#about.warn(`the search goes on without workers, as they cannot load ${plugin}: ${failure}`);
    }
    return this.#pool?.isReady === true ? this.#pool : undefined;
  }

  #save(): void {
    const { programs, geometry, checkpoint } = this.#about;
    this.#lastSaved = performance.now();
    checkpoint(
      programs.flatMap((program, at) => {
        const saved = this.#saved[at]?.();
        return saved === undefined ? [] : [{ program: nameOfProgram(program, geometry), saved }];
      }),
    );
  }
}

/** Whether there is time left, and nobody wants it to stop. */
function stopwatchOf({ limits, isInterrupted }: ProgramsToExplore): () => boolean {
  const end = performance.now() + 1000 * limits.maxSeconds;
  return () => !isInterrupted() && performance.now() < end;
}
