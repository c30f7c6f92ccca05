import { stepsConflict } from "@nopage/core";
import { ModelWorld } from "../model/model-world.ts";
import { type Fewest, fewestPreemptions } from "./fewest-preemptions.ts";
import { firstLine } from "./first-line.ts";
import { LawRun } from "./law-run.ts";
import { type LeftOut, type StartedActor, shortenedCase } from "./left-out.ts";
import { linearised } from "./linearise.ts";
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
  /** What is left out of the program. */
  readonly leftOut: readonly LeftOut[];
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
 * Makes a failing run of a law's program shorter: first the fewest preemptions, by trying all schedules with fewer; then
 * without what actors do that the failure does not need; then without the steps that do not come before what failed in every equal
 * run; and last in the order with the fewest switches among all that come to the same. What comes out has been run, and
 * fails. However a failure was found, it comes out the same, where `maxExecutions` is enough.
 *
 * Only the number of preemptions is proven to be the least there is, where `isFewest` says so. Nothing more can be left out
 * one by one, but two things together may.
 *
 * @param schedule the tasks in the order of their steps, under which it fails
 * @param maxExecutions runs that the search for fewer preemptions may take, and that finding out what can be left out may
 * @param fails tells the failures that count by what was broken; all where left out
 */
export function minimise(
  setting: LawSetting,
  schedule: readonly number[],
  maxExecutions: number,
  fails: Failing = isBroken,
): Minimised {
  const found = withFewestPreemptions({ setting, leftOut: [], fails, maxExecutions }, schedule);
  const whole = finished(found, found.executions);
  const shorter = withLessDone(found);
  if (shorter === found) return whole;
  const short = finished(shorter, shorter.executions + whole.executions);
  // What no turning round mends may have been broken by leaving something out.
  const isBelieved = short.met !== undefined || whole.met === undefined;
  return isBelieved ? short : { ...whole, executions: short.executions };
}

/** What is made shorter, and how hard it is tried. */
interface Task {
  readonly setting: LawSetting;
  readonly leftOut: readonly LeftOut[];
  readonly fails: Failing;
  readonly maxExecutions: number;
}

/** A failing run on the way. */
interface Failure extends Task {
  readonly replay: LawReplay;
  readonly isFewest: boolean;
  readonly executions: number;
}

function withFewestPreemptions(task: Task, schedule: readonly number[]): Failure {
  const { setting, maxExecutions, fails } = task;
  const first = replayLaw(setting, schedule, "steps");
  const most = preemptionsIn(first);
  const found = fewestPreemptions(runOf(setting), most, maxExecutions, fails);
  const replay = shortestOf(setting, found) ?? first;
  const isFewest = found.proven >= preemptionsIn(replay);
  return { ...task, replay, isFewest, executions: found.executions };
}

/** The failure with the fewest steps among those that were found; the first of several. */
function shortestOf(setting: LawSetting, { schedules }: Fewest): LawReplay | undefined {
  let shortest: LawReplay | undefined;
  for (const schedule of schedules) {
    const replay = replayLaw(setting, schedule, "steps");
    if (shortest === undefined || replay.failedAt < shortest.failedAt) shortest = replay;
  }
  return shortest;
}

/** Leaves out what it can: of each actor everything, or all but the first operations; those that were started last come first. */
function withLessDone(whole: Failure): Failure {
  const actors: StartedActor[] = [];
  replayLaw(
    { ...whole.setting, lawCase: shortenedCase(whole.setting.lawCase, [], actors) },
    tasksOf(whole.replay),
    "steps",
  );
  let best = whole;
  let executions = 0;
  for (const { actor, name, operations } of actors.toReversed()) {
    for (let after = 0; after < operations && executions < whole.maxExecutions; after++) {
      const found = tryWithout(whole, best, [...best.leftOut, { actor, name, after }]);
      executions += found.executions;
      if (found.failure === undefined) continue;
      best = withoutUnstarted(whole, found.failure);
      break;
    }
  }
  return best === whole ? whole : { ...best, executions };
}

/** What an actor would have started goes with it: nothing is said of actors that are not there. */
function withoutUnstarted({ setting }: Failure, short: Failure): Failure {
  const started: StartedActor[] = [];
  const lawCase = shortenedCase(setting.lawCase, short.leftOut, started);
  replayLaw({ ...setting, lawCase }, tasksOf(short.replay), "steps");
  const leftOut = short.leftOut.filter((one) => started.some(({ actor }) => actor === one.actor));
  return { ...short, leftOut };
}

/**
 * Leaves something out, if it fails in the same words then, in no more steps and with no more preemptions, and holds where
 * nothing interleaves, if the whole program does: a law does not break for want of what was left out.
 */
function tryWithout(
  whole: Failure,
  best: Failure,
  leftOut: readonly LeftOut[],
): { readonly failure: Failure | undefined; readonly executions: number } {
  const { setting, fails } = whole;
  const shorter = { ...setting, lawCase: shortenedCase(setting.lawCase, leftOut) };
  if (holdsInTurn(setting) && !holdsInTurn(shorter)) return { failure: undefined, executions: 2 };
  const words = firstLine(best.replay.problems[0] ?? "");
  const isSame: Failing = (problems) => fails(problems) && firstLine(problems[0] ?? "") === words;
  const most = preemptionsIn(best.replay);
  // What does less has fewer schedules.
  const found = fewestPreemptions(runOf(shorter), most, whole.executions + 100, isSame);
  const executions = found.executions + 2;
  const replay = shortestOf(shorter, found);
  if (replay === undefined) return { failure: undefined, executions };
  const isFewest = found.proven >= preemptionsIn(replay);
  const isShorter = replay.failedAt <= best.replay.failedAt && preemptionsIn(replay) <= most;
  const failure = { ...whole, setting: shorter, leftOut, fails: isSame, replay, isFewest, executions };
  return { failure: isShorter ? failure : undefined, executions };
}

/** Whether the law holds when every task goes on until it sleeps. */
function holdsInTurn({ lawCase, contender, machine }: LawSetting): boolean {
  return new ModelWorld(contender, machine).run(lawCase).problems.length === 0;
}

/** What follows once it is settled what the program does. */
function finished({ setting, leftOut, fails, isFewest, ...found }: Failure, before: number): Minimised {
  const without = withoutOthers(setting, found.replay, fails);
  const replay = inCanonicalOrder(setting, without.replay, fails);
  const met = whatMet(setting, replay);
  return {
    replay: replayLaw(setting, tasksOf(replay)),
    preemptions: preemptionsIn(replay),
    isFewest,
    leftOut,
    met: met.pair,
    executions: before + without.executions + 2 + met.executions,
  };
}

/** Preemptions up to the step after which the failure was known. */
function preemptionsIn({ steps, failedAt }: LawReplay): number {
  return steps.slice(0, failedAt + 1).filter(({ preempts }) => preempts).length;
}

/** The equal run with the fewest switches, where that is no worse. */
function inCanonicalOrder(setting: LawSetting, replay: LawReplay, fails: Failing): LawReplay {
  const order = orderOf(setting, tasksOf(replay));
  const { steps } = order.order;
  const canonical = linearised({
    tasks: tasksOf(replay).slice(0, replay.failedAt + 1),
    isBefore: (earlier, later) => order.isBefore(earlier, later),
    waitsFor: (earlier, later) => order.waitsFor(earlier, later),
  });
  if (canonical === undefined || steps.length === 0) return replay;
  const again = tryReplay(setting, canonical);
  const isNoWorse =
    again !== undefined &&
    fails(again.problems) &&
    again.failedAt <= replay.failedAt &&
    preemptionsIn(again) <= preemptionsIn(replay);
  return isNoWorse ? again : replay;
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
    return replayLaw(setting, schedule, "steps");
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
