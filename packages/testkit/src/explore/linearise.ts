/** What is known of the order of a run's steps. */
export interface KnownOrder {
  /** The task of each step. */
  readonly tasks: readonly number[];
  /** Whether one step comes before another, later one in every equal run. */
  isBefore(earlier: number, later: number): boolean;
  /** Whether the later step could not be taken before the earlier one, as the lock was held or the task slept. */
  waitsFor(earlier: number, later: number): boolean;
}

/** States of a run that are looked at; a run that has more keeps its order. */
const MOST_STATES = 50_000;
/** What a preemption weighs; a switch weighs 1. */
const PREEMPTION = 1_000_000;

/**
 * The order among all that come to the same in which there are the fewest preemptions, then the fewest switches between
 * tasks, and then the tasks with the lowest numbers come first: one and the same for all equal runs. Undefined for a run that
 * has too many states to tell.
 */
export function linearised(order: KnownOrder): readonly number[] | undefined {
  const lanes = new Lanes(order);
  const best = lanes.begin();
  return best === undefined ? undefined : lanes.sequence();
}

class Lanes {
  readonly #order: KnownOrder;
  /** The tasks, ascending, and by task the positions of its steps. */
  readonly #tasks: readonly number[];
  readonly #steps: readonly (readonly number[])[];
  /** By position: how many steps of each lane come before it. */
  readonly #needs: readonly (readonly number[])[];
  /** By state: what the cheapest way from there costs. */
  readonly #costs = new Map<string, number>();

  constructor(order: KnownOrder) {
    const { tasks } = order;
    this.#order = order;
    this.#tasks = [...new Set(tasks)].sort((one, other) => one - other);
    this.#steps = this.#tasks.map((task) => tasks.flatMap((one, at) => (one === task ? [at] : [])));
    this.#needs = tasks.map((_, at) =>
      this.#steps.map(
        (steps) => steps.filter((earlier) => earlier < at && order.isBefore(earlier, at)).length,
      ),
    );
  }

  /** What the cheapest way from the start costs; undefined where there are too many states. */
  begin(): number | undefined {
    const start = this.#steps.map(() => 0);
    const pending: [readonly number[], number][] = [[start, -1]];
    while (pending.length > 0) {
      if (this.#costs.size > MOST_STATES) return undefined;
      const [counts, last] = pending.at(-1) as [readonly number[], number];
      const next = this.#choices(counts);
      const unknown = next.filter((lane) => !this.#costs.has(keyOf(after(counts, lane), lane)));
      if (unknown.length > 0) {
        for (const lane of unknown) pending.push([after(counts, lane), lane]);
        continue;
      }
      pending.pop();
      const costs = next.map((lane) => this.#costOf(counts, last, lane));
      this.#costs.set(keyOf(counts, last), next.length === 0 ? 0 : Math.min(...costs));
    }
    return this.#costs.get(keyOf(start, -1));
  }

  /** The tasks of the cheapest way. */
  sequence(): readonly number[] {
    const sequence: number[] = [];
    let counts: readonly number[] = this.#steps.map(() => 0);
    let last = -1;
    for (;;) {
      const next = this.#choices(counts);
      if (next.length === 0) return sequence;
      const costs = next.map((lane) => this.#costOf(counts, last, lane));
      const lane = next[costs.indexOf(Math.min(...costs))] as number;
      sequence.push(this.#tasks[lane] as number);
      counts = after(counts, lane);
      last = lane;
    }
  }

  /** The lanes whose next step may come now. */
  #choices(counts: readonly number[]): readonly number[] {
    return this.#tasks.flatMap((_, lane) => {
      const step = this.#steps[lane]?.[counts[lane] as number];
      const isReady =
        step !== undefined && this.#needs[step]?.every((need, one) => need <= (counts[one] ?? 0));
      return isReady === true ? [lane] : [];
    });
  }

  #costOf(counts: readonly number[], last: number, lane: number): number {
    const onward = this.#costs.get(keyOf(after(counts, lane), lane)) ?? 0;
    if (last < 0 || lane === last) return onward;
    return onward + (this.#couldGoOn(counts, last) ? PREEMPTION + 1 : 1);
  }

  /** Whether the task of a lane would not have had to wait. */
  #couldGoOn(counts: readonly number[], lane: number): boolean {
    const step = this.#steps[lane]?.[counts[lane] as number];
    if (step === undefined) return false;
    return !this.#steps.some((steps, other) =>
      steps
        .slice(counts[other])
        .some((earlier) => other !== lane && earlier < step && this.#order.waitsFor(earlier, step)),
    );
  }
}

function after(counts: readonly number[], lane: number): readonly number[] {
  return counts.map((count, at) => (at === lane ? count + 1 : count));
}

function keyOf(counts: readonly number[], last: number): string {
  return `${counts.join(",")}:${last}`;
}
