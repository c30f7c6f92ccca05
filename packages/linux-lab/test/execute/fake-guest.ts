import type { GuestLine } from "../../src/execute/lab-executor.ts";
import type { AgentState, Gone, Racer } from "../../src/guest/guest.ts";
import { type AgentAnswer, readAnswers } from "../../src/guest/line-protocol.ts";

/** What a guest would do for an operation: answer it, or let it wait until something else is done. */
export type Deed = (words: string, actor: number) => string | { readonly waits: string };

/** A guest that is made up: operations are answered by a function, processes are lists of actors. */
export class FakeGuest implements GuestLine {
  readonly deed: Deed;
  /** Everything that was asked for, as `ACTOR WORDS`. */
  readonly asked: string[] = [];
  /** What was begun at the same time, race by race, with the delays. */
  readonly races: string[][] = [];
  readonly #processOf = new Map<number, number>();
  readonly #left = new Set<number>();
  readonly #waiting = new Map<number, { readonly on: string; readonly resume: (answer: string) => void }>();
  onGone: (gone: Gone) => void = () => {};

  constructor(deed: Deed = () => "is 0") {
    this.deed = deed;
  }

  ask(actor: number, operations: readonly string[]): Promise<readonly AgentAnswer[]> {
    const words = operations.join(";");
    this.asked.push(`${actor} ${words}`);
    const [name, argument] = words.split(" ");
    if (name === "thread") this.#processOf.set(Number(argument), this.#processOf.get(actor) ?? actor);
    if (name === "fork") this.#processOf.set(Number(argument), Number(argument));
    if (name === "thread" || name === "fork") return Promise.resolve(readAnswers("is 100"));
    const done = this.deed(words, actor);
    return new Promise((resolve) => {
      if (typeof done === "string") setTimeout(() => resolve(readAnswers(done)), 1);
      else this.#waiting.set(actor, { on: done.waits, resume: (answer) => resolve(readAnswers(answer)) });
    });
  }

  race(racers: readonly Racer[]): readonly Promise<readonly AgentAnswer[]>[] {
    this.races.push(racers.map(({ actor, operation, delay }) => `${actor} ${operation} +${delay}`));
    return racers.map(({ actor, operation }) => this.ask(actor, [operation]));
  }

  /** Whoever waits for that goes on with the answer. */
  wake(on: string, answer: string): void {
    for (const [actor, waiting] of this.#waiting) {
      if (waiting.on !== on) continue;
      this.#waiting.delete(actor);
      waiting.resume(answer);
    }
  }

  tell(actor: number, operation: string): void {
    this.asked.push(`${actor} ${operation}`);
    const process = this.#processOf.get(actor) ?? actor;
    this.#left.add(actor);
    const [, number, status] = operation.split(" ");
    const members = this.#membersOf(process);
    if (number === "231" || members.every((member) => this.#left.has(member)))
      this.#end(process, Number(status));
  }

  async startProcess(actor: number): Promise<number> {
    this.#processOf.set(actor, actor);
    return 100;
  }

  async statesOf(actors: readonly number[]): Promise<readonly AgentState[]> {
    return actors.map((actor) => {
      const waiting = this.#waiting.get(actor);
      if (this.#left.has(actor)) return { state: "ended", switches: "-", place: "-" };
      if (waiting === undefined) return { state: "running", switches: "1", place: "-" };
      return { state: "sleeping", switches: "1", place: waiting.on };
    });
  }

  async kill(actor: number, signal: number): Promise<void> {
    this.asked.push(`${actor} signal ${signal}`);
    if (signal === 9) this.#end(this.#processOf.get(actor) ?? actor, -9);
  }

  #membersOf(process: number): readonly number[] {
    return [...this.#processOf].filter(([, of]) => of === process).map(([actor]) => actor);
  }

  #end(process: number, status: number): void {
    setTimeout(() => this.onGone({ actors: this.#membersOf(process), status }), 1);
  }
}
