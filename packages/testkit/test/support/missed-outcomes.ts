import { type Kernel, type Machine, type MachineOptions, type Sleepable, stepsConflict } from "@nopage/core";
import { LawRun } from "#src/explore/law-run";
import { OptimalSearch } from "#src/explore/optimal-search";
import { RandomSearch } from "#src/explore/random-search";
import type { Search } from "#src/explore/search";
import { Dependence, Step } from "#src/explore/step";
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
  /** Executions of the search, and traces among them, told apart by what their steps had announced. */
  readonly executions: number;
  readonly traces: number;
}

/** Explores kernel threads in all their orders and in many random ones. */
export function missedOutcomes(
  setting: Setting,
  { random = 1_000, machine = {} }: { readonly random?: number; readonly machine?: MachineOptions } = {},
): Compared {
  const search = new OptimalSearch(new Dependence(stepsConflict));
  const traces = new Set<string>();
  const reached = outcomesOf(setting, search, machine, () => traces.add(traceOf(search)));
  const drawn = outcomesOf(setting, new RandomSearch(random, 5), machine);
  const missed = [...drawn].filter((outcome) => !reached.has(outcome));
  const isComplete = search.isOver && search.abandoned === 0;
  const { executions } = search;
  return { missed, reached: [...reached].sort(), isComplete, executions, traces: traces.size };
}

/** Who a run's last task was and what else ended with it is not told apart: the last step is left as it was announced. */
function traceOf({ order }: OptimalSearch): string {
  const { steps } = order;
  const last = steps.at(-1);
  if (last === undefined) return "";
  const { task, objects, accesses, certain } = last;
  steps[steps.length - 1] = new Step(
    task,
    objects.slice(0, certain),
    accesses.slice(0, certain),
    false,
    false,
  );
  const hash = order.traceHash();
  steps[steps.length - 1] = last;
  return hash;
}

function outcomesOf(
  setting: Setting,
  search: Search,
  options: MachineOptions,
  ended: () => void = () => {},
): ReadonlySet<string> {
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
    ended();
    const problems = run.outcome.problems.map((problem) => problem.split("\n", 1).join());
    outcomes.add([told, ...problems].join("; "));
  }
}
