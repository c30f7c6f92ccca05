import type { AllocationGate } from "@nopage/core";
import { must } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";

/** More allocations than any call of a law asks for. */
const MOST_ALLOCATIONS = 200;

/** Memory that a law has run out at a moment of its choice: a machine's allocations, for model-only cases. */
export class ShortMemory implements AllocationGate {
  /** Allocations that still succeed. */
  left = Number.POSITIVE_INFINITY;

  mayAllocate(): boolean {
    return this.left-- > 0;
  }

  /** There is memory again. */
  refill(): void {
    this.left = Number.POSITIVE_INFINITY;
  }

  /**
   * Makes a call with memory for no allocation at all, then for one, and so on, up to the first that has enough. It must have
   * run out at least once.
   *
   * @param hasFailed looks, with all the memory that there is, at what was answered and at what is left behind: whether the
   *   call failed
   */
  *untilEnough<T>(what: string, call: () => Steps<T>, hasFailed: (answer: T) => Steps<boolean>): Steps<void> {
    for (let given = 0; ; given++) {
      must(given < MOST_ALLOCATIONS, `${what} fails although it was given ${given} allocations`);
      if (yield* hasFailed(yield* this.#shortOf(given, call))) continue;
      must(given > 0, `${what} asks for no memory: the law has seen nothing`);
      return;
    }
  }

  *#shortOf<T>(given: number, call: () => Steps<T>): Steps<T> {
    this.left = given;
    try {
      return yield* call();
    } finally {
      this.refill();
    }
  }
}
