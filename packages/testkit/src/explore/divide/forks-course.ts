import { tracesInWords } from "../coverage-words.ts";
import { dataOfForks, FIRST_FORK, type Fork, type ForkedData, forksOf } from "../forks.ts";
import type { Course } from "./course.ts";
import { type Division, usualDivision } from "./division.ts";
import type { ForksAnswer, ForksTask } from "./forks-task.ts";
import type { Handed } from "./part-kinds.ts";

/** How far a search with a bound on preemptions has come at the beginning of a round, as plain data. */
export interface ForksCourseData {
  readonly division: Division;
  readonly isFirst: boolean;
  /** Schedules that are left with as many preemptions as are looked at now, and with one more. */
  readonly now: readonly ForkedData[];
  readonly later: readonly ForkedData[];
  readonly hasLater: boolean;
  readonly seen: readonly number[];
  /** By number of preemptions before the present one. */
  readonly traces: readonly number[];
}

/**
 * The course of a search with a bound on preemptions: its parts are schedules with the same number of preemptions, and it
 * comes to a further one when none of these is left. So the runs and traces of each number are the same however it is divided.
 */
export class ForksCourse implements Course<"preemptions"> {
  readonly #most: number;
  readonly #division: Division;
  #isFirst: boolean;
  /** What comes first is at the end. */
  #now: Fork[];
  #later: Fork[];
  #hasLater: boolean;
  readonly #seen: Set<number>;
  readonly #traces: number[];
  #parts: readonly (readonly Fork[])[] = [];

  constructor(most: number, saved?: ForksCourseData, division: Division = usualDivision) {
    this.#most = most;
    this.#division = saved?.division ?? division;
    this.#isFirst = saved?.isFirst ?? true;
    this.#now = saved === undefined ? [FIRST_FORK] : forksOf(saved.now);
    this.#later = saved === undefined ? [] : forksOf(saved.later);
    this.#hasLater = saved?.hasLater ?? false;
    this.#seen = new Set(saved?.seen);
    this.#traces = [...(saved?.traces ?? [])];
  }

  get isOver(): boolean {
    return this.#now.length === 0 && (!this.#hasLater || this.#traces.length >= this.#most);
  }

  get coversAll(): boolean {
    return this.#now.length === 0 && !this.#hasLater;
  }

  coverage(answers: readonly (ForksAnswer | undefined)[]): string {
    const seen = new Set(this.#seen);
    for (const answer of answers) for (const trace of answer?.traces ?? []) seen.add(trace);
    return tracesInWords([...this.#traces, seen.size]);
  }

  beginRound(): readonly number[] {
    const { first, parts, runs } = this.#division;
    if (this.#now.length === 0) this.#goDeeper();
    const most = this.#isFirst ? 1 : parts;
    // No more than are run in this round, so that little is sent around.
    const taken = Math.min(this.#now.length, most * runs);
    const each = Math.ceil(taken / most);
    const end = this.#now.length;
    this.#parts = Array.from({ length: Math.ceil(taken / each) }, (_, part) =>
      this.#now.slice(Math.max(end - taken, end - each * (part + 1)), end - each * part),
    );
    return this.#parts.map(() => (this.#isFirst ? first : runs));
  }

  task(part: number, handed: Handed, before?: ForksAnswer): ForksTask {
    const forks = before === undefined ? dataOfForks(this.#parts[part] ?? []) : before.left;
    const beyond = this.#traces.length < this.#most ? "kept" : "noted";
    return { algorithm: "preemptions", forks, beyond, ...handed };
  }

  isEnd({ left }: ForksAnswer): boolean {
    return left.length === 0;
  }

  joined(one: ForksAnswer, other: ForksAnswer): ForksAnswer {
    return {
      ...other,
      later: [...one.later, ...other.later],
      hasLater: one.hasLater || other.hasLater,
      traces: [...new Set([...one.traces, ...other.traces])],
    };
  }

  takeIn(answers: readonly ForksAnswer[]): void {
    this.#isFirst = false;
    for (const { length } of this.#parts) this.#now.length -= length;
    for (const { left } of answers.toReversed()) for (const fork of forksOf(left)) this.#now.push(fork);
    for (const { later, hasLater, traces } of answers) {
      for (const fork of forksOf(later)) this.#later.push(fork);
      for (const trace of traces) this.#seen.add(trace);
      this.#hasLater ||= hasLater;
    }
  }

  /** What a preemption more leads to is not known before it has been run. */
  size(): undefined {
    return undefined;
  }

  get data(): ForksCourseData {
    return {
      division: this.#division,
      isFirst: this.#isFirst,
      now: dataOfForks(this.#now),
      later: dataOfForks(this.#later),
      hasLater: this.#hasLater,
      seen: [...this.#seen],
      traces: this.#traces,
    };
  }

  #goDeeper(): void {
    this.#traces.push(this.#seen.size);
    this.#now = this.#later.reverse();
    this.#later = [];
    this.#hasLater = false;
  }
}
