import { HappensBefore } from "./happens-before.ts";
import { ABANDON, type Explorable, type Moment, type Pending, type RunEnd, type Search } from "./search.ts";
import { type Dependence, type Step, UNLOCK } from "./step.ts";

/** A state on the path of the present run, and what is still to be explored from it. */
export interface PathNode {
  /** Steps that need not be taken from here, because what they lead to has been explored. */
  readonly sleep: Step[];
}

/** The same program under the same choices did something else: it is not deterministic, or it has changed. */
export class NotTheSameProgram extends Error {
  override readonly name = "NotTheSameProgram";
}

/**
 * Depth-first through the schedules of a program, by running it again from the start for each. Which branches are worth
 * a run is for those who extend it.
 */
export abstract class DepthFirstSearch<N extends PathNode> implements Search {
  executions = 0;
  abandoned = 0;
  protected readonly dependence: Dependence;
  protected readonly order: HappensBefore;
  /** One for each step of the present run, and one more for where it stands. */
  protected readonly path: N[] = [];
  /** The tasks that the next run begins with; undefined when there is no next run. */
  #beginning: readonly number[] | undefined = [];
  /** Steps of the present run that are known from the one before. */
  #known = 0;
  #depth = 0;
  /** The step that was chosen last and is not yet known in full. */
  #chosen: { readonly pending: Pending; readonly cause: Step | undefined } | undefined = undefined;
  /** By task, the step that created or woke it last, with the number of steps that the task had taken by then. */
  readonly #causes = new Map<number, Step>();
  readonly #races: { readonly earlier: number; readonly later: Step }[] = [];

  constructor(dependence: Dependence) {
    this.dependence = dependence;
    this.order = new HappensBefore(dependence);
  }

  runNext(program: Explorable): boolean {
    const beginning = this.#beginning;
    if (beginning === undefined) return false;
    this.#depth = 0;
    this.#chosen = undefined;
    this.#causes.clear();
    this.#races.length = 0;
    const end = program.run((moment) => this.#choose(moment, beginning));
    if (end === undefined) this.abandoned++;
    else this.#endRun(end);
    for (const { earlier, later } of this.#races) this.reverse(earlier, later, program);
    this.#backtrack();
    return true;
  }

  /** A state that the run has come to for the first time. */
  protected abstract enter(sleep: Step[], from: N | undefined): N;

  /** Which task goes on from a new state; `ABANDON` when none is worth it. */
  protected abstract pick(node: N, enabled: readonly Pending[], last: number): number;

  /** The step at position `earlier` and a later one could have come the other way round. */
  protected abstract reverse(earlier: number, later: Step, program: Explorable): void;

  /** The next branch from a state, whose first has been explored: the task to begin with; undefined when all are. */
  protected abstract nextBranch(node: N): number | undefined;

  /**
   * What a step touches when it is taken after a prefix of the present run and a sequence of other steps: run anew, for
   * steps whose accesses depend on what they find.
   */
  protected realise(program: Explorable, prefix: number, sequence: readonly Step[], step: Step): Step {
    const tasks = [...this.order.steps.slice(0, prefix), ...sequence, step].map(({ task }) => task);
    let seen: Pending | undefined;
    let depth = 0;
    const add = ({ notedObjects, notedAccesses }: RunEnd | Moment): void => {
      if (seen === undefined) return;
      seen = {
        ...seen,
        objects: [...seen.objects, ...notedObjects],
        accesses: [...seen.accesses, ...notedAccesses],
      };
    };
    const end = program.run((moment) => {
      if (depth === tasks.length) {
        add(moment);
        return ABANDON;
      }
      const task = tasks[depth++] as number;
      if (depth === tasks.length) seen = copyOf(pendingOf(moment, task));
      return task;
    });
    if (end !== undefined) add(end);
    return seen === undefined ? step : { ...seen, cause: step.cause };
  }

  #choose(moment: Moment, beginning: readonly number[]): number {
    this.#settleLast(moment);
    if (moment.hasTimeMoved && this.#depth >= this.#known) this.order.markBarrier();
    const depth = this.#depth++;
    if (depth < beginning.length) return this.#repeat(moment, depth, beginning[depth] as number);
    const node = this.enter(this.#sleepAt(depth), this.path[depth - 1]);
    this.path.push(node);
    const last = this.order.steps[depth - 1]?.task ?? ABANDON;
    const task = this.pick(node, moment.enabled, last);
    if (task !== ABANDON) this.#take(moment, task);
    return task;
  }

  #repeat(moment: Moment, depth: number, task: number): number {
    if (depth >= this.#known) {
      this.#take(moment, task);
      return task;
    }
    const known = this.order.steps[depth] as Step;
    const pending = pendingOf(moment, task);
    if (pending.objects[0] !== known.objects[0] || pending.accesses[0] !== known.accesses[0]) {
      throw new NotTheSameProgram(`step ${depth} touches something else when it is repeated`);
    }
    this.#chosen = undefined;
    this.#lastKnown = known;
    return task;
  }

  #lastKnown: Step | undefined = undefined;

  #take(moment: Moment, task: number): void {
    this.#chosen = { pending: copyOf(pendingOf(moment, task)), cause: this.#causes.get(task) };
    this.#causes.delete(task);
  }

  /** Makes the step that was taken last a known one, now that all that it touched and caused is known. */
  #settleLast(now: Pick<Moment, "notedObjects" | "notedAccesses"> & Partial<Moment>): void {
    let step = this.#lastKnown;
    this.#lastKnown = undefined;
    if (this.#chosen !== undefined) {
      const { pending, cause } = this.#chosen;
      this.#chosen = undefined;
      const hasNoted = now.notedObjects.length > 0;
      step = {
        ...pending,
        objects: hasNoted ? [...pending.objects, ...now.notedObjects] : pending.objects,
        accesses: hasNoted ? [...pending.accesses, ...now.notedAccesses] : pending.accesses,
        isConditional: pending.isConditional || now.notedAccesses.some((access) => access !== UNLOCK),
        cause,
      };
      for (const earlier of this.order.add(step)) this.#races.push({ earlier, later: step });
    }
    if (step === undefined) return;
    for (const task of now.caused ?? []) this.#causes.set(task, step);
  }

  /** What sleeps at a depth: what slept one step before and does not depend on that step. */
  #sleepAt(depth: number): Step[] {
    if (depth === 0) return [];
    const { sleep } = this.path[depth - 1] as N;
    const step = this.order.steps[depth - 1] as Step;
    return sleep.filter((other) => other.task !== step.task && !this.dependence.conflict(step, other));
  }

  #endRun(end: RunEnd): void {
    this.#settleLast(end);
    this.executions++;
    for (const pending of end.waiting) {
      const waiting = { ...copyOf(pending), cause: this.#causes.get(pending.task) };
      for (const earlier of this.order.racesOf(waiting)) this.#races.push({ earlier, later: waiting });
    }
  }

  /** Goes back to the last state from which something is left to explore. */
  #backtrack(): void {
    const { steps } = this.order;
    if (this.path.length > steps.length) this.path.length = steps.length;
    for (let depth = steps.length - 1; depth >= 0; depth--) {
      const node = this.path[depth] as N;
      node.sleep.push(steps[depth] as Step);
      const task = this.nextBranch(node);
      if (task !== undefined) {
        this.#beginning = [...steps.slice(0, depth).map((step) => step.task), task];
        this.#known = depth;
        this.order.truncate(depth);
        this.path.length = depth + 1;
        return;
      }
    }
    this.#beginning = undefined;
  }
}

function pendingOf({ enabled }: Moment, task: number): Pending {
  const pending = enabled.find((one) => one.task === task);
  if (pending === undefined) {
    throw new NotTheSameProgram(
      `task ${task} cannot go on where it could before: the program is not the same in every run`,
    );
  }
  return pending;
}

/** Announcements may be written over by the next one. */
function copyOf({ task, objects, accesses, mayBlock, isConditional }: Pending): Pending {
  return { task, objects: [...objects], accesses: [...accesses], mayBlock, isConditional };
}
