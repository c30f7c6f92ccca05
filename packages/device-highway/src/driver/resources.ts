import { isGenerator } from "@nopage/core";
import type { MaySleep, Sleepable } from "@nopage/core/contract";

/** What a driver has taken and how to give it back, the last one first (`devres`). */
export class Resources {
  readonly #undo: (() => MaySleep<void>)[] = [];

  /** Remembers how to undo what was just done. */
  push(undo: () => MaySleep<void>): void {
    this.#undo.push(undo);
  }

  *release(): Sleepable<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      const answer = undo();
      if (isGenerator(answer)) yield* answer;
    }
  }
}
