import { HappensBefore } from "./happens-before.ts";
import {
  ABANDON,
  type Explorable,
  type Moment,
  NotTheSameProgram,
  type RunEnd,
  type Search,
} from "./search.ts";
import type { Dependence, Step } from "./step.ts";

/** A state on the path of the present run, and what is still to be explored from it. */
export interface PathNode {
  /** Steps that need not be taken from here, because what they lead to has been explored. */
  readonly sleep: Step[];
}

/** No task: there is no next run, or it has no branch to take. */
const NOBODY = -1;

/**
 * Depth-first through the schedules of a program, by running it again from the start for each. Which branches are worth
 * a run is for those who extend it.
 *
 * Of the run before, the steps up to the branch are known, and are only repeated.
 */
export abstract class DepthFirstSearch<N extends PathNode> implements Search {
  executions = 0;
  abandoned = 0;
  /** What comes before what in the present run, which is the last one until the next begins. */
  readonly order: HappensBefore;
  protected readonly dependence: Dependence;
  /** One for each step of the present run, and one more for where it stands. */
  protected readonly path: N[] = [];
  #isOver = false;
  /** Steps of the present run that are known from the one before. */
  #known = 0;
  /** The task that goes on after the known steps; `NOBODY` when that is to be found out. */
  #branch = NOBODY;
  #depth = 0;
  /** The step that is being taken, of which all that it touches is not yet known. */
  #taken: Step | undefined = undefined;
  /** Steps that created or woke tasks, by position, ascending. */
  readonly #causing: { readonly at: number; readonly tasks: readonly number[] }[] = [];
  /** Positions from which a task went on alone, ascending. */
  readonly #aloneFrom: number[] = [];
  /**
   * The later steps of the races of the present run, ascending, their positions, and those of the earlier ones. A step that
   * was never taken has the position of the end.
   */
  readonly #laterSteps: Step[] = [];
  readonly #laterPositions: number[] = [];
  readonly #earlierSteps: number[] = [];
  /** Of those that have been looked at, where the steps end that could come before both. */
  readonly #endsOfOthers: number[] = [];

  /** By depth, what has been found out of steps after the state there, by the tasks of the steps up to each. */
  readonly #realised: (Map<string, Step> | undefined)[] = [];

  constructor(dependence: Dependence) {
    this.dependence = dependence;
    this.order = new HappensBefore(dependence);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  runNext(program: Explorable): boolean {
    if (this.#isOver) return false;
    this.#goBack();
    const old = this.#laterSteps.length;
    this.#depth = 0;
    this.#taken = undefined;
    const end = program.run(this.#choose);
    if (end === undefined) this.abandoned++;
    else {
      program.keepOutcome();
      this.#endRun(end);
    }
    for (let race = this.looksAt === "every race" ? 0 : old; race < this.#laterSteps.length; race++) {
      const earlier = this.#earlierSteps[race] as number;
      if (!this.#hasOtherBeginning(race, earlier)) continue;
      const others = this.#endsOfOthers[race] === 0 ? "none" : "some";
      this.reverse(earlier, this.#laterSteps[race] as Step, program, others);
    }
    this.#findBranch();
    return true;
  }

  /** Whether the races of steps that are repeated from the run before are looked at again. */
  protected abstract readonly looksAt: "every race" | "new races";

  /** A state that the run has come to for the first time. */
  protected abstract enter(sleep: Step[], from: N | undefined): N;

  /** Which task goes on from a new state; `ABANDON` when none is worth it. */
  protected abstract pick(node: N, moment: Moment, last: number): number;

  /**
   * The step at position `earlier` and a later one could have come the other way round.
   *
   * @param others whether there are steps after the earlier one that need not come after it
   */
  protected abstract reverse(
    earlier: number,
    later: Step,
    program: Explorable,
    others: "none" | "some",
  ): void;

  /**
   * The next branch from a state: the task to begin with; undefined when all are explored.
   *
   * @param explored the task of the branch that has just been explored
   */
  protected abstract nextBranch(node: N, explored: number): number | undefined;

  /** Whether the later step of a race touches the same when it comes before the earlier one, whatever else it is then. */
  protected isTheSameAfter(earlier: number, later: Step): boolean {
    return !later.isConditional || this.dependence.isBlindTo(this.order.steps[earlier] as Step, later);
  }

  /**
   * What the later step of a race touches when it is taken after a prefix of the present run and those steps of it that do not
   * come after the earlier one. It is found out once, for the steps before it; others that it does not meet change nothing.
   */
  protected realiseAfter(program: Explorable, earlier: number, others: readonly Step[], later: Step): Step {
    const before = this.order.countBefore(others, later);
    const reversed = this.#realiseOnce(program, earlier, others.slice(0, before), later);
    const isMet = !this.dependence.isApart(reversed, others.slice(before), others.length - before);
    return isMet ? this.#realiseOnce(program, earlier, others, later) : reversed;
  }

  /** The same as `realise`, which need not run anew what it has run from the same state. */
  #realiseOnce(program: Explorable, prefix: number, sequence: readonly Step[], step: Step): Step {
    let tasks = "";
    for (const { task } of sequence) tasks += `${task},`;
    tasks += step.task;
    this.#realised[prefix] ??= new Map();
    const known = this.#realised[prefix];
    const realised = known.get(tasks)?.causedBy(step.cause) ?? this.realise(program, prefix, sequence, step);
    known.set(tasks, realised);
    return realised;
  }

  /**
   * What a step touches when it is taken after a prefix of the present run and a sequence of other steps: run anew, for
   * steps whose accesses depend on what they find.
   */
  protected realise(program: Explorable, prefix: number, sequence: readonly Step[], step: Step): Step {
    const { steps } = this.order;
    const length = prefix + sequence.length;
    let seen = step;
    let depth = 0;
    const end = program.run((moment) => {
      const at = depth++;
      if (at > length) {
        seen = seen.completed(moment, step.cause);
        return ABANDON;
      }
      if (at < prefix && this.#aloneFrom.includes(at)) moment.goOnAlone();
      if (at < length) return ((at < prefix ? steps[at] : sequence[at - prefix]) as Step).task;
      seen = nextStepOf(moment, step.task);
      return step.task;
    });
    return end === undefined ? seen : seen.completed(end, step.cause);
  }

  readonly #choose = (moment: Moment): number => {
    const depth = this.#depth++;
    if (depth < this.#known) return this.#repeat(moment, depth);
    if (this.#taken === undefined) {
      // What the known steps caused is known. From now on it is asked what is new.
      moment.caused();
      moment.hasTimeMoved();
    } else {
      const caused = moment.caused();
      if (caused.length > 0) this.#causing.push({ at: depth - 1, tasks: caused });
      this.#settle(this.#taken, moment);
      if (moment.hasTimeMoved()) this.order.markBarrier();
    }
    let task = this.#branch;
    if (task === NOBODY || depth > this.#known) {
      // No place before the first is asked for: that is slow.
      const isFirst = depth === 0;
      const node = this.enter(this.#sleepAt(depth), isFirst ? undefined : this.path[depth - 1]);
      this.path.push(node);
      task = this.pick(node, moment, isFirst ? NOBODY : (this.order.steps[depth - 1] as Step).task);
    }
    if (task === ABANDON) {
      this.#taken = undefined;
      // Who sleeps has been taken here elsewhere. Who waits has not, and may have to come before what it waits for.
      this.#noteRacesOfWaiting(moment.waiting());
    } else {
      this.#taken = nextStepOf(moment, task);
      if (moment.isDownToOne() && this.order.isAfterAll(task)) {
        this.#aloneFrom.push(depth);
        moment.goOnAlone();
      }
    }
    return task;
  };

  #repeat(moment: Moment, depth: number): number {
    const { task, objects, accesses } = this.order.steps[depth] as Step;
    if (!moment.isAbout(task, objects[0] as number, accesses[0] as number)) {
      throw new NotTheSameProgram(`step ${depth} touches something else when it is repeated`);
    }
    if (this.#aloneFrom.length > 0 && this.#aloneFrom.includes(depth)) moment.goOnAlone();
    return task;
  }

  /** Adds the step that was taken last, now that all that it touched is known. */
  #settle(taken: Step, noted: Pick<Moment, "notedObjects" | "notedAccesses">): void {
    const step = taken.completed(noted, this.#causeOf(taken.task));
    this.order.add(step, this.#earlierSteps);
    this.#noteRacesOf(step, this.order.steps.length - 1);
  }

  #noteRacesOf(step: Step, at: number): void {
    while (this.#laterSteps.length < this.#earlierSteps.length) {
      this.#laterSteps.push(step);
      this.#laterPositions.push(at);
    }
  }

  /** The step that created a task, or woke it since its last step. */
  #causeOf(task: number): Step | undefined {
    if (this.#causing.length === 0) return undefined;
    const since = this.order.afterLastOf(task) - 1;
    const at = this.#causing.length - 1;
    for (let index = at; index >= 0; index--) {
      const { at, tasks } = this.#causing[index] as { at: number; tasks: readonly number[] };
      if (at < since) return undefined;
      if (tasks.includes(task)) return this.order.steps[at];
    }
    return undefined;
  }

  /**
   * Whether a race is to be turned round with other steps than in the run before: with what comes after it and could come
   * before it. One that is only repeated need not be.
   */
  #hasOtherBeginning(race: number, earlier: number): boolean {
    const before = this.#endsOfOthers[race];
    const end = this.order.endOfNotAfter(earlier);
    this.#endsOfOthers[race] = end;
    return before === undefined || before > this.#known || end > this.#known;
  }

  /** What sleeps at a depth: what slept one step before and does not depend on that step. */
  #sleepAt(depth: number): Step[] {
    if (depth === 0) return [];
    const step = this.order.steps[depth - 1] as Step;
    const { sleep } = this.path[depth - 1] as N;
    return sleep.length === 0 ? [] : sleep.filter((other) => this.#sleepsOn(other, step));
  }

  #sleepsOn(sleeping: Step, step: Step): boolean {
    return sleeping.task !== step.task && !this.dependence.conflict(step, sleeping);
  }

  #endRun(end: RunEnd): void {
    if (this.#taken !== undefined) this.#settle(this.#taken, end);
    this.executions++;
    this.#noteRacesOfWaiting(end.waiting);
  }

  /** The races of steps that are never taken, as their tasks still wait when the run ends or is given up. */
  #noteRacesOfWaiting(steps: readonly Step[]): void {
    for (const announced of steps) {
      const waiting = announced.completed(nothingNoted, this.#causeOf(announced.task));
      this.order.findRacesOf(waiting, this.#earlierSteps);
      this.#noteRacesOf(waiting, this.order.steps.length);
    }
  }

  /** Finds the last state from which something is left to explore. */
  #findBranch(): void {
    const { steps } = this.order;
    for (let depth = steps.length - 1; depth >= 0; depth--) {
      const node = this.path[depth] as N;
      const explored = steps[depth] as Step;
      const task = this.nextBranch(node, explored.task);
      if (task !== undefined) {
        node.sleep.push(explored);
        this.#known = depth;
        this.#branch = task;
        return;
      }
    }
    this.#isOver = true;
  }

  /** Goes back to the state that the next run branches off from. */
  #goBack(): void {
    if (this.#branch === NOBODY) return;
    this.order.truncate(this.#known);
    while ((this.#laterPositions.at(-1) ?? NOBODY) >= this.#known) {
      this.#laterPositions.pop();
      this.#laterSteps.pop();
      this.#earlierSteps.pop();
    }
    while (this.#endsOfOthers.length > this.#earlierSteps.length) {
      this.#endsOfOthers.pop();
    }
    while (this.path.length > this.#known + 1) this.path.pop();
    while (this.#realised.length > this.#known + 1) this.#realised.pop();
    while ((this.#causing.at(-1)?.at ?? NOBODY) >= this.#known) this.#causing.pop();
    while ((this.#aloneFrom.at(-1) ?? NOBODY) >= this.#known) this.#aloneFrom.pop();
  }
}

const nothingNoted = { notedObjects: [], notedAccesses: [] };

function nextStepOf(moment: Moment, task: number): Step {
  const step = moment.nextStep(task);
  if (step !== undefined) return step;
  throw new NotTheSameProgram(
    `task ${task} cannot go on where it could before: the program is not the same in every run`,
  );
}

/** The task that went last where it can go on, otherwise the first that need not sleep. */
export function firstAwake(moment: Moment, sleep: readonly Step[], last: number): number {
  if (last !== NOBODY && moment.enabledAbove(last - 1) === last && !isAsleep(last, sleep)) return last;
  let task = moment.enabledAbove(NOBODY);
  while (task !== NOBODY && isAsleep(task, sleep)) task = moment.enabledAbove(task);
  return task === NOBODY ? ABANDON : task;
}

function isAsleep(task: number, sleep: readonly Step[]): boolean {
  for (const step of sleep) if (step.task === task) return true;
  return false;
}
