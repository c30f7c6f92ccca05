import {
  type AllocationGate,
  checkMachine,
  type FailingAllocations,
  failFrom,
  failNone,
  failNth,
  type Machine,
  type Sleepable,
  type UserThread,
} from "@nopage/core";
import { runPrograms } from "./run-programs.ts";
import { takeStock } from "./stock.ts";

/**
 * Runs the operation under test: its allocations are counted, and one of them is refused. What comes before and after
 * gets all the memory that it asks for. Called once in a program; answers as the operation does.
 */
export type Inject = <T>(operation: () => Sleepable<T>) => Sleepable<T>;

/** An operation, what it needs around it, and what must hold after it. */
export interface FallibleOperation<W extends { readonly machine: Machine }, T> {
  readonly name: string;
  /** Builds a world of its own for each run, on a machine with these `allocations`. */
  build(allocations: AllocationGate): W;
  /**
   * Prepares, has the operation done, looks for things half done, and gives back all that it took. `refused` tells the
   * site of the allocation that failed, once it has; undefined in the run in which none does.
   */
  program(run: {
    readonly world: W;
    readonly thread: UserThread;
    readonly inject: Inject;
    refused(): string | undefined;
  }): Sleepable<T>;
}

/** How one run went in which an allocation was refused. */
export interface AllocationTrial<T> {
  /** Which of the operation's allocations it was, from 1. */
  readonly nth: number;
  /** Who asked; see `AllocationGate.mayAllocate`. */
  readonly site: string;
  /** What the program answered. */
  readonly answer: T;
}

/**
 * What is refused: one allocation, as at a moment of pressure; or that one and all that the operation asks for after
 * it, as when memory stays short. The second also takes away what an unwinding might ask for.
 */
export type Shortage = "one" | "from-then-on";

/**
 * Runs a program once to count what its operation allocates, then once for each of these allocations with it refused.
 * In each run the books of the machine are compared after the operation and at the end, and nothing may be left over.
 *
 * @returns the runs, in the order of the allocations
 * @throws Error that names the allocation of the first run in which something was wrong, and what
 */
export function failEveryAllocation<W extends { readonly machine: Machine }, T>(
  operation: FallibleOperation<W, T>,
  shortage: Shortage = "one",
): readonly AllocationTrial<T>[] {
  const counting = failNone("off");
  attempt(operation, counting, "with all the memory that it wants");
  if (counting.asked.length === 0) throw new Error(`${operation.name} allocates nothing`);
  return counting.asked.map((site, index) => {
    const nth = index + 1;
    const gate = shortage === "one" ? failNth(nth, "off") : failFrom(nth, "off");
    const answer = attempt(operation, gate, `with allocation ${nth} (${site}) refused`);
    return { nth, site, answer };
  });
}

function attempt<W extends { readonly machine: Machine }, T>(
  operation: FallibleOperation<W, T>,
  gate: FailingAllocations,
  when: string,
): T {
  const world = operation.build(gate);
  const { machine } = world;
  const before = takeStock(machine);
  const disagreements: string[] = [];
  function* inject<R>(body: () => Sleepable<R>): Sleepable<R> {
    gate.injection = "on";
    try {
      return yield* body();
    } finally {
      gate.injection = "off";
      disagreements.push(...checkMachine(machine));
    }
  }
  const answers: T[] = [];
  machine.spawn("program", function* (thread) {
    answers.push(yield* operation.program({ world, thread, inject, refused: () => gate.refused }));
  });
  try {
    runPrograms(machine, before);
    disagreements.push(...checkMachine(machine));
    if (disagreements.length > 0) throw new Error(disagreements.join("\n"));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${operation.name} ${when}: ${what}`, { cause });
  }
  return answers[0] as T;
}
