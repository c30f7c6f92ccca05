import { hashOf, RunOrder } from "./run-order.ts";
import type { Explorable, Moment, Search } from "./search.ts";
import type { Dependence } from "./step.ts";

/** Schedules to be run: they begin as another one did up to a position, and go on there with one of these tasks. */
interface Fork {
  readonly schedule: readonly number[];
  readonly at: number;
  readonly tasks: number[];
}

/**
 * Runs every schedule without a preemption, then every one with a single preemption, and so on up to a bound. A preemption
 * is a switch away from a task that could have gone on. Each schedule is run once; most bugs need few preemptions, and
 * the first schedule that is found to fail has the fewest that will do (Musuvathi and Qadeer, "Iterative context
 * bounding", PLDI 2007).
 */
export class PreemptionSearch implements Search {
  executions = 0;
  readonly abandoned = 0;
  /** By number of preemptions, the distinct traces that schedules with at most so many lead to, as far as they were run. */
  readonly traces: number[] = [0];
  readonly #most: number;
  readonly #dependence: Dependence | undefined;
  readonly #seen = new Set<number>();
  /** Schedules with as many preemptions as are looked at now, and with one more. */
  #now: Fork[] = [];
  #later: Fork[] = [];
  #hasBegun = false;

  /**
   * @param most preemptions, at most
   * @param dependence by which traces are counted; they are not when it is left out, which is quicker
   */
  constructor(most: number, dependence?: Dependence) {
    this.#most = most;
    this.#dependence = dependence;
  }

  /** Preemptions of the schedules that are run at present, or were run last. */
  get preemptions(): number {
    return this.traces.length - 1;
  }

  /** Whether there is no schedule left, with however many preemptions. */
  get isExhausted(): boolean {
    return this.#hasBegun && this.#now.length === 0 && this.#later.length === 0;
  }

  runNext(program: Explorable): boolean {
    const beginning = this.#nextBeginning();
    if (beginning === undefined) return false;
    const order = this.#dependence === undefined ? undefined : new RunOrder(this.#dependence);
    const schedule: number[] = [];
    const end = program.run((moment) => {
      const task = beginning[schedule.length] ?? this.#goOn(moment, schedule);
      order?.take(moment, task);
      schedule.push(task);
      return task;
    });
    if (end !== undefined) order?.end(end);
    program.keepOutcome();
    this.executions++;
    if (order !== undefined) this.#seen.add(hashOf(order.order.traceHash()));
    this.traces[this.preemptions] = this.#seen.size;
    return true;
  }

  /** The task that ran last if it can go on, otherwise the first; the others are for later. */
  #goOn(moment: Moment, schedule: readonly number[]): number {
    const enabled = moment.enabled();
    const last = schedule.at(-1) ?? -1;
    const canStay = enabled.includes(last);
    const stay = canStay ? last : (enabled[0] as number);
    const tasks = enabled.filter((task) => task !== stay);
    if (tasks.length > 0) (canStay ? this.#later : this.#now).push({ schedule, at: schedule.length, tasks });
    return stay;
  }

  #nextBeginning(): readonly number[] | undefined {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return [];
    }
    if (this.#now.length === 0) {
      if (this.#later.length === 0 || this.preemptions >= this.#most) return undefined;
      this.#now = this.#later.reverse();
      this.#later = [];
      this.traces.push(this.#seen.size);
    }
    const fork = this.#now.at(-1) as Fork;
    const task = fork.tasks.shift() as number;
    if (fork.tasks.length === 0) this.#now.pop();
    return [...fork.schedule.slice(0, fork.at), task];
  }
}
