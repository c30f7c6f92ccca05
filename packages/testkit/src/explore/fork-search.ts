import { beginningOf, type Fork } from "./forks.ts";
import { hashOf, RunOrder } from "./run-order.ts";
import type { Explorable, Moment, Search } from "./search.ts";
import type { Dependence } from "./step.ts";

/** What is done about schedules with one preemption more: they are kept for later, or it is only noted that there are some. */
export type Beyond = "kept" | "noted";

/**
 * Runs the schedules that begin with one of some forks and then take no further preemption: a task goes on for as long as it
 * can. Each is run once. What a preemption more leads to is left to others.
 */
export class ForkSearch implements Search {
  executions = 0;
  readonly abandoned = 0;
  /** Forks with one preemption more, in the order of finding, where they are kept. */
  readonly later: Fork[] = [];
  /** Whether a preemption more leads anywhere. */
  hasLater = false;
  /** The traces that were met, as numbers that others hardly have, where they are told apart. */
  readonly traces: Set<number>;
  /** What is left, that which comes first at the end. */
  readonly #now: Fork[];
  readonly #beyond: Beyond;
  readonly #dependence: Dependence | undefined;

  /**
   * @param forks the last one is begun with
   * @param dependence by which traces are told apart; they are not when it is left out, which is quicker
   * @param traces to which those that are met are added
   */
  constructor(
    forks: readonly Fork[],
    beyond: Beyond,
    dependence: Dependence | undefined,
    traces: Set<number> = new Set(),
  ) {
    this.#now = [...forks];
    this.#beyond = beyond;
    this.#dependence = dependence;
    this.traces = traces;
  }

  /** The forks that are left. */
  get left(): readonly Fork[] {
    return this.#now;
  }

  get isOver(): boolean {
    return this.#now.length === 0;
  }

  runNext(program: Explorable): boolean {
    const fork = this.#now.pop();
    if (fork === undefined) return false;
    const beginning = beginningOf(fork);
    const [, ...others] = fork.tasks;
    if (others.length > 0) this.#now.push({ ...fork, tasks: others });
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
    if (order !== undefined) this.traces.add(hashOf(order.order.traceHash()));
    return true;
  }

  /** The task that ran last if it can go on, otherwise the first; the others are left. */
  #goOn(moment: Moment, schedule: readonly number[]): number {
    const enabled = moment.enabled();
    const last = schedule.at(-1) ?? -1;
    const canStay = enabled.includes(last);
    const stay = canStay ? last : (enabled[0] as number);
    const tasks = enabled.filter((task) => task !== stay);
    if (tasks.length === 0) return stay;
    const fork = { schedule, at: schedule.length, tasks };
    if (!canStay) this.#now.push(fork);
    else if (this.#beyond === "kept") this.later.push(fork);
    this.hasLater ||= canStay;
    return stay;
  }
}
