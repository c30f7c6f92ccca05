import { describeChoice, stepsConflict } from "@nopage/core";
import { firstLine } from "#src/explore/first-line";
import { LawRun } from "#src/explore/law-run";
import { racyProgramsOf } from "#src/explore/racy-programs";
import { numbersOfRun, type RandomNumbers } from "#src/explore/random-numbers";
import type { Moment } from "#src/explore/search";
import { Dependence, type Step } from "#src/explore/step";
import { allLaws } from "#src/laws/all-laws";
import type { Plugin } from "#src/model/contender";

/** A run, as far as the order of its steps goes. */
interface Recorded {
  readonly steps: readonly Step[];
  /** By step, the tasks that it created or woke, and whether time moved after it because nobody could go on. */
  readonly caused: readonly (readonly number[])[];
  readonly isLastBefore: readonly boolean[];
  readonly problems: string;
}

/** How many random runs of each program are made, and how many equal ones of each run. */
export interface Draws {
  readonly runs: number;
  readonly swapped: number;
  readonly seed: number;
}

/** What came of it: the runs that were repeated in another order, and the differences, each kind once, in words. */
export interface Swapped {
  readonly compared: number;
  readonly differences: readonly string[];
}

/**
 * Programs that are left out: in the last one of MN-12, whether a populate goes on depends on how far the end of the process
 * has come, and on interval-mirror something that it looks at there is neither announced nor noted yet.
 */
const leftOut: readonly string[] = ["MN-12 (3)"];

const dependence = new Dependence(stepsConflict);

/**
 * Makes random runs of every racy program of the laws, and of each some equal ones: its steps in another order, in which those
 * that conflict stay as they were. Each step must touch there what it touched before, in the same way: a difference tells of
 * an access that was neither announced nor noted, or of one that was announced as weaker than it is.
 */
export function swapRuns(plugin: Plugin, draws: Draws): Swapped {
  const differences = new Map<string, string>();
  let compared = 0;
  for (const { law, index, lawCase, contender } of racyProgramsOf(allLaws, plugin, "x86-64")) {
    if (leftOut.includes(`${law} (${index})`)) continue;
    const run = new LawRun(lawCase, contender, "x86-64");
    for (const difference of differencesOf(run, draws)) {
      compared++;
      if (difference === undefined) continue;
      const kind = difference.replaceAll(/\d+/g, "#");
      if (!differences.has(kind)) {
        differences.set(kind, `${law} (${index}) on ${contender.name}: ${difference}`);
      }
    }
  }
  return { compared, differences: [...differences.values()] };
}

/** For each repetition of a random run of one program, how it differs from that run; undefined where it is equal. */
export function* differencesOf(
  run: LawRun,
  { runs, swapped, seed }: Draws,
): Generator<string | undefined, void, void> {
  for (let number = 0; number < runs; number++) {
    const numbers = numbersOfRun(seed, number);
    const base = record(run, drawnBy(numbers));
    if (base === undefined) continue;
    const before = stepsBefore(base);
    for (let time = 0; time < swapped; time++) {
      const order = anotherOrder(base, before, numbers);
      yield repeat(run, base, order);
    }
  }
}

/** Chooses at random, in some runs with a liking for the task that went on last. */
function drawnBy(numbers: RandomNumbers): (enabled: readonly number[]) => number {
  const odds = [0, 3, 12][numbers.below(3)] ?? 0;
  let last = -1;
  return (enabled) => {
    if (odds > 0 && enabled.includes(last) && numbers.below(odds) > 0) return last;
    last = enabled[numbers.below(enabled.length)] ?? -1;
    return last;
  };
}

function record(
  run: LawRun,
  choose: (enabled: readonly number[], done: readonly Step[]) => number,
): Recorded | undefined {
  const steps: Step[] = [];
  const caused: (readonly number[])[] = [];
  const isLastBefore: boolean[] = [];
  let current: Step | undefined;
  const finish = (noted: Pick<Moment, "notedObjects" | "notedAccesses">) => {
    if (current !== undefined) steps.push(current.completed(noted, undefined));
  };
  const end = run.run((moment) => {
    finish(moment);
    const newly = moment.caused();
    const hasTimeMoved = moment.hasTimeMoved();
    if (current !== undefined) {
      caused.push(newly);
      isLastBefore.push(hasTimeMoved);
    }
    const task = choose(moment.enabled(), steps);
    current = task < 0 ? undefined : moment.nextStep(task);
    return task;
  });
  if (end === undefined) return undefined;
  finish(end);
  run.keepOutcome();
  return { steps, caused, isLastBefore, problems: run.outcome.problems.map(firstLine).join("; ") };
}

/** For each step of a run, those that come before it in every equal run. */
function stepsBefore({ steps, caused, isLastBefore }: Recorded): readonly (readonly number[])[] {
  let whenTimeMoved = 0;
  return steps.map((step, at) => {
    if (at > 0 && isLastBefore[at - 1] === true) whenTimeMoved = at;
    const before: number[] = [];
    for (const [earlier, other] of steps.slice(0, at).entries()) {
      const isCause = caused[earlier]?.includes(step.task) === true;
      const isOrdered = earlier < whenTimeMoved || isCause || dependence.isOrdered(other, step);
      if (isOrdered) before.push(earlier);
    }
    return before;
  });
}

/** The steps of a run in another order that is equal: by chance, by a rank of the tasks, or as late as may be. */
function anotherOrder(
  { steps }: Recorded,
  before: readonly (readonly number[])[],
  numbers: RandomNumbers,
): readonly number[] {
  const way = numbers.below(3);
  const ranks = steps.map(() => numbers.fraction());
  const rankOf = (at: number) => (way === 1 ? (ranks[steps[at]?.task ?? 0] ?? 0) : at);
  const done = new Set<number>();
  const order: number[] = [];
  while (order.length < steps.length) {
    const ready = steps.flatMap((_, at) =>
      !done.has(at) && before[at]?.every((earlier) => done.has(earlier)) ? [at] : [],
    );
    const drawn = ready[numbers.below(ready.length)];
    const next =
      way === 0 ? drawn : ready.reduce((best, other) => (rankOf(other) > rankOf(best) ? other : best));
    if (next === undefined) throw new Error("the order of a run has a circle");
    done.add(next);
    order.push(next);
  }
  return order;
}

/** Repeats a run in another order, and tells how it differs, as far as the first difference. */
function repeat(run: LawRun, base: Recorded, order: readonly number[]): string | undefined {
  const expected = order.flatMap((at) => base.steps[at] ?? []);
  let difference: string | undefined;
  const again = record(run, (enabled, done) => {
    difference = differenceAt(expected, done, done.length - 1);
    if (difference !== undefined) return -1;
    const next = expected[done.length];
    if (next === undefined) difference = "it goes on where it had ended";
    else if (!enabled.includes(next.task)) difference = `cannot go on: ${inWords(next)}`;
    return difference === undefined ? (next?.task ?? -1) : -1;
  });
  if (again === undefined) return difference;
  if (again.steps.length < expected.length) return "it ends before it had ended";
  difference = differenceAt(expected, again.steps, expected.length - 1);
  if (difference !== undefined || again.problems === base.problems) return difference;
  return `broke ${base.problems || "nothing"}, breaks ${again.problems || "nothing"}`;
}

function differenceAt(expected: readonly Step[], found: readonly Step[], at: number): string | undefined {
  const [before, now] = [expected[at], found[at]];
  if (before === undefined || now === undefined) return undefined;
  const [was, is] = [before, now].map(inWords);
  return was === is ? undefined : `touched ${was}; touches ${is}`;
}

/** Looks whether anybody waits change nothing, and whether there is one depends on whether the step is the one to wake them. */
function inWords({ task, objects, accesses }: Step): string {
  const words = objects.map((object, index) =>
    describeChoice({ task, object, access: accesses[index] ?? 0, also: [] }),
  );
  return `task ${task}: ${words.filter((word) => !/^read wait queue/.test(word)).join(", ")}`;
}
