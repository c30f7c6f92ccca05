import { stepsConflict } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { LawRun } from "#src/explore/law-run";
import { OptimalSearch } from "#src/explore/optimal-search";
import { RunOrder } from "#src/explore/run-order";
import { ABANDON, type Explorable } from "#src/explore/search";
import { Dependence } from "#src/explore/step";
import { type Contender, contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { Observed, randomFrom, type SmallProgram, smallProgram } from "./small-programs.ts";

/** Programs that take more runs are left half explored, and only the searching itself is checked. */
const MOST_EXECUTIONS = 100;
/** Random schedules of each program that is explored to the end. */
const SCHEDULES = 60;

/** A program with the answers of the run that was kept last, as text. */
class Watched implements Explorable {
  outcome = "";
  readonly dependence = new Dependence(stepsConflict);
  readonly #observed: Observed;
  readonly #run: LawRun;

  constructor(program: SmallProgram) {
    this.#observed = new Observed(program);
    const [contender] = contendersOf(plainPages);
    this.#run = new LawRun(this.#observed, contender as Contender, "x86-64");
  }

  run(choose: Parameters<Explorable["run"]>[0]): ReturnType<Explorable["run"]> {
    return this.#run.run(choose);
  }

  keepOutcome(): void {
    this.#run.keepOutcome();
    this.outcome = JSON.stringify([this.#observed.answers, this.#run.outcome.problems]);
  }
}

/** What a search or chance has come to. */
interface Reached {
  readonly outcomes: Set<string>;
  /** Texts for the traces: the orders of what cannot be swapped. */
  readonly traces: Set<string>;
}

/** All that an optimal search reaches; undefined when it takes too many runs. */
function explored(program: SmallProgram, most = MOST_EXECUTIONS): Reached | undefined {
  const watched = new Watched(program);
  const search = new OptimalSearch(watched.dependence);
  const reached: Reached = { outcomes: new Set(), traces: new Set() };
  while (search.executions < most) {
    if (!search.runNext(watched)) {
      const { executions, abandoned } = search;
      const traces = reached.traces.size;
      expect({ traces, abandoned }, JSON.stringify(program.threads)).toEqual({
        traces: executions,
        abandoned: 0,
      });
      return reached;
    }
    reached.outcomes.add(watched.outcome);
    reached.traces.add(search.order.traceHash());
  }
  return undefined;
}

/** The outcomes and traces of random schedules that are not among those. */
function missed(program: SmallProgram, reached: Reached, schedules = SCHEDULES): string[] {
  const watched = new Watched(program);
  const random = randomFrom(program.seed);
  const others = new Set<string>();
  for (let count = 0; count < schedules; count++) {
    const run = new RunOrder(watched.dependence);
    const end = watched.run((moment) => {
      const enabled = moment.enabled();
      const task = enabled[Math.floor(random() * enabled.length)] ?? ABANDON;
      run.take(moment, task);
      // The steps that a search does not ask for.
      if (moment.isDownToOne() && run.order.isAfterAll(task)) moment.goOnAlone();
      return task;
    });
    if (end !== undefined) run.end(end);
    watched.keepOutcome();
    if (!reached.outcomes.has(watched.outcome)) others.add(watched.outcome);
    if (!reached.traces.has(run.order.traceHash())) others.add(run.order.traceHash());
  }
  return [...others];
}

/** How many of random programs could be explored to the end, and how many of those had more than one outcome. */
function checkAll(programs: readonly SmallProgram[]): { readonly complete: number; readonly racy: number } {
  let complete = 0;
  let racy = 0;
  for (const program of programs) {
    const reached = explored(program);
    if (reached === undefined) continue;
    complete++;
    if (reached.outcomes.size > 1) racy++;
    expect(missed(program, reached), JSON.stringify(program.threads)).toEqual([]);
  }
  return { complete, racy };
}

const programs = (count: number, threads: number, length: number) =>
  Array.from({ length: count }, (_, index) => smallProgram(index, threads, length));

describe("an optimal search MUST reach every outcome that random schedules reach, and never lose its way:", () => {
  it("two threads of two operations", () => {
    const { complete, racy } = checkAll(programs(30, 2, 2));
    expect(complete).toBeGreaterThan(20);
    expect(racy).toBeGreaterThan(8);
  }, 120_000);

  it("three threads of one operation", () => {
    const { complete, racy } = checkAll(programs(20, 3, 1));
    expect(complete).toBeGreaterThan(10);
    expect(racy).toBeGreaterThan(3);
  }, 120_000);

  it.each([
    [["fork"], ["close 1"]],
    [["fork of one that opens"], ["open"]],
    [["fork of one that opens"], ["close 1"]],
    [["munmap"], ["store"], ["munmap"]],
    [["mincore"], ["load"]],
    [["close 0"], ["munmap"]],
    [
      ["mmap of memory", "exit"],
      ["signals taken", "pagemap"],
    ],
  ])("programs that were once explored wrongly: %j", (...threads) => {
    const program = { seed: 1, threads };
    const reached = explored(program, 8000);
    expect(reached).toBeDefined();
    if (reached !== undefined) expect(missed(program, reached)).toEqual([]);
  });
});
