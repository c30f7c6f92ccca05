import { type Kernel, type Machine, type MachineOptions, type Sleepable, stepsConflict } from "@nopage/core";
import { LawRun } from "#src/explore/law-run";
import { OptimalSearch } from "#src/explore/optimal-search";
import { RandomSearch } from "#src/explore/random-search";
import type { Search } from "#src/explore/search";
import { Dependence } from "#src/explore/step";
import type { LawCase } from "#src/laws/law";
import type { Contender } from "#src/model/contender";

/** What a run came to, for those who compare: filled by the kernel threads as they go. */
export type Outcome = Record<string, unknown>;

/** Puts kernel threads on a machine, which tell in `outcome` what they saw. */
export type Setting = (machine: Machine, kernel: Kernel, outcome: Outcome) => void;

/** A kernel thread on a CPU of its own. */
export function kernelThread(machine: Machine, name: string, body: () => Sleepable<unknown>): void {
  machine.sched.spawn({ name, kind: "kernel", cpu: machine.cpuInTurn() }, body());
}

/** What was reached by all orders that the search takes for different, and what only chance has reached. */
export interface Compared {
  /** Outcomes that random runs have found and the complete search has not: an access was neither announced nor noted. */
  readonly missed: readonly string[];
  readonly reached: readonly string[];
  readonly isComplete: boolean;
}

/** Explores kernel threads in all their orders and in many random ones. */
export function missedOutcomes(
  setting: Setting,
  { random = 1_000, machine = {} }: { readonly random?: number; readonly machine?: MachineOptions } = {},
): Compared {
  const search = new OptimalSearch(new Dependence(stepsConflict));
  const reached = outcomesOf(setting, search, machine);
  const drawn = outcomesOf(setting, new RandomSearch(random, 5), machine);
  const missed = [...drawn].filter((outcome) => !reached.has(outcome));
  return { missed, reached: [...reached].sort(), isComplete: search.isOver && search.abandoned === 0 };
}

function outcomesOf(setting: Setting, search: Search, options: MachineOptions): ReadonlySet<string> {
  let outcome: Outcome = {};
  let told = "";
  const contender: Contender = {
    name: "kernel threads",
    trial: "mapping",
    place(machine, kernel) {
      outcome = {};
      setting(machine, kernel, outcome);
      return { stage: {} as never, trespasses: () => [] };
    },
  };
  const lawCase: LawCase = { when: "", schedule: "racy", machine: options, *program() {} };
  const run = new LawRun(lawCase, contender, "x86-64", () => {
    const entries = Object.entries(outcome).sort(([one], [other]) => (one < other ? -1 : 1));
    told = JSON.stringify(Object.fromEntries(entries));
  });
  const outcomes = new Set<string>();
  for (;;) {
    const before = search.executions;
    if (!search.runNext(run)) return outcomes;
    if (search.executions === before) continue;
    const problems = run.outcome.problems.map((problem) => problem.split("\n", 1).join());
    outcomes.add([told, ...problems].join("; "));
  }
}
