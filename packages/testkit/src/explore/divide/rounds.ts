import { givenUpInWords } from "../coverage-words.ts";
import { type Counterexample, keepFirst } from "../judged-runs.ts";
import type { Course } from "./course.ts";
import type { PartAnswer, PartKind, PartTask } from "./part-kinds.ts";

/** All that there is to know of a search in parts, as plain data. */
export interface RoundsData {
  /** What its course has said. */
  readonly course: unknown;
  readonly executions: number;
  readonly abandoned: number;
  readonly counterexamples: readonly Counterexample[];
  /** By part of the present round, what has come of it so far. */
  readonly answers: readonly (PartAnswer | null)[];
}

/** A part that can be explored now, by its number in the round. */
export interface Handout<K extends PartKind> {
  readonly part: number;
  readonly task: PartTask<K>;
}

/**
 * A search in parts. It goes in rounds: parts are handed out, in any number at a time, and when all have been answered for,
 * what came of them is taken in, in the order of the parts. So its course is the same whoever explores the parts, how many at
 * a time, and where it was interrupted and saved in between.
 */
export class Rounds<K extends PartKind> {
  readonly #course: Course<K>;
  readonly #found = new Map<string, Counterexample>();
  #executions = 0;
  #abandoned = 0;
  /** By part of the round, the runs that it may take. */
  #runs: readonly number[];
  #answers: (PartAnswer<K> | undefined)[];

  /** @param saved what `data` has said, of a course that goes on from what was said of it there */
  constructor(course: Course<K>, saved?: RoundsData) {
    this.#course = course;
    if (saved !== undefined) {
      this.#executions = saved.executions;
      this.#abandoned = saved.abandoned;
      for (const one of saved.counterexamples) keepFirst(this.#found, one);
    }
    this.#runs = course.isOver ? [] : course.beginRound();
    this.#answers = this.#runs.map(
      (_, part) => (saved?.answers[part] ?? undefined) as PartAnswer<K> | undefined,
    );
  }

  get isOver(): boolean {
    return this.#course.isOver;
  }

  /** Whether all there is was run. */
  get isComplete(): boolean {
    return this.isOver && this.#course.coversAll && this.abandoned === 0;
  }

  /** What the runs so far amount to, beside their number: a phrase, empty where there is nothing to add. */
  get coverage(): string {
    return this.#course.coverage(this.#answers) || givenUpInWords(this.abandoned);
  }

  get executions(): number {
    return this.#executions + this.#sum(({ executions }) => executions);
  }

  get abandoned(): number {
    return this.#abandoned + this.#sum(({ abandoned }) => abandoned);
  }

  /** The first schedule for each distinct set of problems, ordered by these. */
  get counterexamples(): readonly Counterexample[] {
    const all = new Map(this.#found);
    for (const answer of this.#answers) for (const one of answer?.counterexamples ?? []) keepFirst(all, one);
    return [...all.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, found]) => found);
  }

  /** Runs that are still to be made, by what was seen so far; undefined where there is no telling. */
  get remaining(): number | undefined {
    if (this.isOver) return 0;
    const size = this.#course.size(this.#answers);
    return size === undefined ? undefined : Math.max(0, Math.round(size) - this.executions);
  }

  /**
   * The parts of this round that are not done, each with what of the budget it may use: it is given to the first ones first.
   */
  handouts(budget: number, atFailure: "stop" | "go-on"): readonly Handout<K>[] {
    const handouts: Handout<K>[] = [];
    let left = budget;
    this.#runs.forEach((most, part) => {
      const answer = this.#answers[part];
      const runs = Math.min(left, most - (answer?.executions ?? 0));
      if (this.#isDone(part) || runs <= 0) return;
      left -= runs;
      handouts.push({ part, task: this.#course.task(part, { budget: runs, atFailure }, answer) });
    });
    return handouts;
  }

  /** Takes what came of a part; when none of the round is left, the next one begins. */
  answer(part: number, answer: PartAnswer<K>): void {
    const before = this.#answers[part];
    this.#answers[part] = before === undefined ? answer : this.#joined(before, answer);
    if (!this.#runs.every((_, one) => this.#isDone(one))) return;
    const answers = this.#answers as readonly PartAnswer<K>[];
    this.#executions = this.executions;
    this.#abandoned = this.abandoned;
    for (const { counterexamples } of answers) for (const one of counterexamples) keepFirst(this.#found, one);
    this.#course.takeIn(answers);
    this.#runs = this.isOver ? [] : this.#course.beginRound();
    this.#answers = this.#runs.map(() => undefined);
  }

  get data(): RoundsData {
    return {
      course: this.#course.data,
      executions: this.#executions,
      abandoned: this.#abandoned,
      counterexamples: [...this.#found.values()],
      answers: this.#answers.map((answer) => answer ?? null),
    };
  }

  #joined(one: PartAnswer<K>, other: PartAnswer<K>): PartAnswer<K> {
    const found = new Map<string, Counterexample>();
    for (const counterexample of [...one.counterexamples, ...other.counterexamples])
      keepFirst(found, counterexample);
    return {
      ...this.#course.joined(one, other),
      executions: one.executions + other.executions,
      abandoned: one.abandoned + other.abandoned,
      counterexamples: [...found.values()],
    };
  }

  #isDone(part: number): boolean {
    const answer = this.#answers[part];
    if (answer === undefined) return false;
    return this.#course.isEnd(answer) || answer.executions >= (this.#runs[part] as number);
  }

  #sum(count: (answer: PartAnswer<K>) => number): number {
    return this.#answers.reduce((sum, answer) => sum + (answer === undefined ? 0 : count(answer)), 0);
  }
}
