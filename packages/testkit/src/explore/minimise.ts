import { stepsConflict } from "@nopage/core";
import { LawRun } from "./law-run.ts";
import { PreemptionSearch } from "./preemption-search.ts";
import { type LawReplay, type LawSetting, replayLaw, ScheduleMisfit } from "./replay-law.ts";
import { RunOrder } from "./run-order.ts";
import { Dependence } from "./step.ts";

/** A failing run that is as short as it was made. */
export interface Minimised {
  readonly replay: LawReplay;
  /** Switches away from a task that could have gone on. */
  readonly preemptions: number;
  /** Whether every schedule with fewer preemptions was run, and none of them fails. */
  readonly isFewest: boolean;
  /** The positions of the last two steps of which the law holds if they come the other way round; undefined if there are none. */
  readonly met: readonly [number, number] | undefined;
  /** Runs that it took. */
  readonly executions: number;
}

/** Whether a run that broke these things failed in the way that is looked for. */
export type Failing = (problems: readonly string[]) => boolean;

const isBroken: Failing = (problems) => problems.length > 0;

/** Steps of the machine depend on each other as the core says. */
const dependence = new Dependence(stepsConflict);

/**
 * Makes a failing run of a law's program shorter: first the fewest preemptions, by trying all schedules with fewer, then
 * without the steps that do not come before what failed in every equal run. What comes out has been run, and fails.
 *
 * @param schedule the tasks in the order of their steps, under which it fails
 * @param maxExecutions runs that the search for fewer preemptions may take
 * @param fails tells the failures that count by what was broken; all where left out
 */
export function minimise(
  setting: LawSetting,
  schedule: readonly number[],
  maxExecutions: number,
  fails: Failing = isBroken,
): Minimised {
  const first = replayLaw(setting, schedule);
  const fewer = withFewerPreemptions(setting, preemptionsIn(first) - 1, maxExecutions, fails);
  const fewest = fewer.schedule === undefined ? first : replayLaw(setting, fewer.schedule);
  const { replay, executions } = withoutOthers(setting, fewest, fails);
  const met = whatMet(setting, replay);
  return {
    replay,
    preemptions: preemptionsIn(replay),
    isFewest: fewer.isFewest,
    met: met.pair,
    executions: fewer.executions + executions + met.executions,
  };
}

/** Preemptions up to the step after which the failure was known. */
function preemptionsIn({ steps, failedAt }: LawReplay): number {
  return steps.slice(0, failedAt + 1).filter(({ preempts }) => preempts).length;
}

interface Fewer {
  readonly schedule: readonly number[] | undefined;
  readonly isFewest: boolean;
  readonly executions: number;
}

function withFewerPreemptions(
  setting: LawSetting,
  most: number,
  maxExecutions: number,
  fails: Failing,
): Fewer {
  if (most < 0) return { schedule: undefined, isFewest: true, executions: 0 };
  const run = runOf(setting);
  const search = new PreemptionSearch(most);
  while (search.executions < maxExecutions) {
    if (!search.runNext(run)) return { schedule: undefined, isFewest: true, executions: search.executions };
    const { problems, schedule } = run.outcome;
    if (fails(problems)) return { schedule, isFewest: true, executions: search.executions };
  }
  return { schedule: undefined, isFewest: false, executions: search.executions };
}

/**
 * Leaves out the steps that what failed does not depend on, task by task, as long as it still fails and is no worse. A task may
 * matter all the same: threads of a program know things of each other that no step stands for.
 */
function withoutOthers(
  setting: LawSetting,
  long: LawReplay,
  fails: Failing,
): { replay: LawReplay; executions: number } {
  const order = orderOf(setting, tasksOf(long));
  const known = long.steps.slice(0, long.failedAt + 1);
  const isNeeded = known.map((_, at) => order.isBefore(at, long.failedAt));
  const others = new Set(known.filter((_, at) => !isNeeded[at]).map(({ task }) => task));
  const left = new Set<number>();
  let replay = long;
  let executions = 1;
  for (const other of others) {
    left.add(other);
    const kept = known.filter(({ task }, at) => isNeeded[at] === true || !left.has(task));
    const short = tryReplay(
      setting,
      kept.map(({ task }) => task),
    );
    executions++;
    const isBetter =
      short !== undefined &&
      fails(short.problems) &&
      short.failedAt < replay.failedAt &&
      preemptionsIn(short) <= preemptionsIn(replay);
    if (isBetter) replay = short;
    else left.delete(other);
  }
  return { replay, executions };
}

/** Looks for the last two steps that make the difference, by turning them round. */
function whatMet(
  setting: LawSetting,
  replay: LawReplay,
): { readonly pair: readonly [number, number] | undefined; readonly executions: number } {
  const tasks = tasksOf(replay);
  const order = orderOf(setting, tasks);
  let executions = 1;
  for (const { earlier, later } of order.races.toReversed()) {
    if (later > replay.failedAt) continue;
    const between = Array.from({ length: later - earlier - 1 }, (_, index) => earlier + 1 + index);
    const turned = [
      ...tasks.slice(0, earlier),
      ...between.filter((at) => !order.isBefore(earlier, at)).map((at) => tasks[at] as number),
      tasks[later] as number,
      tasks[earlier] as number,
    ];
    executions++;
    if (tryReplay(setting, turned)?.problems.length === 0) return { pair: [earlier, later], executions };
  }
  return { pair: undefined, executions };
}

/** The replay; undefined when the tasks cannot go on in that order. */
function tryReplay(setting: LawSetting, schedule: readonly number[]): LawReplay | undefined {
  try {
    return replayLaw(setting, schedule);
  } catch (thrown) {
    if (thrown instanceof ScheduleMisfit) return undefined;
    throw thrown;
  }
}

function tasksOf({ steps }: LawReplay): readonly number[] {
  return steps.map(({ task }) => task);
}

/** Which steps of a run come before which. */
function orderOf(setting: LawSetting, schedule: readonly number[]): RunOrder {
  const order = new RunOrder(dependence);
  let at = 0;
  const end = runOf(setting).run((moment) => {
    const task = schedule[at++] as number;
    order.take(moment, task);
    return task;
  });
  if (end !== undefined) order.end(end);
  return order;
}

function runOf({ lawCase, contender, machine }: LawSetting): LawRun {
  return new LawRun({ ...lawCase, machine }, contender, machine.geometry ?? "x86-64");
}
