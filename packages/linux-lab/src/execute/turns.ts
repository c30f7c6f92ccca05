import type { LawCase } from "@nopage/testkit/executor";
import type { LabActor } from "./lab-actor.ts";
import type { RaceOrder } from "./race-order.ts";

/** Says whose turn it is: one after the other, or several at once where the threads of a program race. */
export class Turns {
  readonly #schedule: LawCase["schedule"];
  readonly #order: RaceOrder;
  /** Whether those of a race that are ready wait for those at work, this time. */
  #isWaiting = true;

  constructor(schedule: LawCase["schedule"], order: RaceOrder) {
    this.#schedule = schedule;
    this.#order = order;
  }

  /** Those of the actors that go on now. */
  next(actors: readonly LabActor[]): readonly LabActor[] {
    const ready = actors.filter(({ doing }) => doing.what === "ready");
    return this.#schedule === "racy" ? this.#racers(ready, actors) : this.#first(ready, actors);
  }

  /** One at a time goes on, up to where it waits. */
  #first(ready: readonly LabActor[], actors: readonly LabActor[]): readonly LabActor[] {
    return actors.some((actor) => actor.doing.what === "looking" || isUnderWay(actor))
      ? []
      : ready.slice(0, 1);
  }

  /** Those of a race begin together, once all are ready that will be by themselves. */
  #racers(ready: readonly LabActor[], actors: readonly LabActor[]): readonly LabActor[] {
    if (ready.length === 0 || (this.#isWaiting && actors.some(isUnderWay))) return [];
    this.#isWaiting = this.#order.waits();
    return this.#order.chosen(ready);
  }
}

function isUnderWay({ doing, isBlocked }: LabActor): boolean {
  return doing.what === "asked" && !isBlocked;
}
