import { type Access, isTrap } from "@nopage/core";
import { inWords, LawBroken, mustBe, SIGBUS } from "../../program/expect.ts";
import type { Actor, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { Stage } from "../law.ts";
import { gateOf } from "./gate-of.ts";

export { gateOf };

/** A tenth of a second, in virtual nanoseconds: how often somebody looks who waits for others. */
export const A_WHILE = 100_000_000;

/** Why a law about taking the object away does not apply. */
export function hasNoGate({ subject }: Stage): string | undefined {
  const isNeverTaken = subject.gate === undefined || subject.supports.whileRevoked === "nothing";
  return isNeverTaken ? "its object is never taken away from user space" : undefined;
}

/** The same for a law about those that let a thread wait. */
export function doesNotWait(stage: Stage): string | undefined {
  const { whileRevoked } = stage.subject.supports;
  return hasNoGate(stage) ?? (whileRevoked === "wait" ? undefined : "a touch does not wait, it is a SIGBUS");
}

/** The same for a law about those that raise SIGBUS. */
export function doesNotRaise(stage: Stage): string | undefined {
  const { whileRevoked } = stage.subject.supports;
  return hasNoGate(stage) ?? (whileRevoked === "sigbus" ? undefined : "a touch waits, it is no SIGBUS");
}

/** The object's pages that are in memory. */
export function presentPages({ pages, holes }: Subject): readonly number[] {
  return Array.from({ length: pages }, (_, page) => page).filter((page) => !holes.includes(page));
}

/** The last of them. */
export function lastPresentPage(subject: Subject): number {
  return presentPages(subject).at(-1) ?? 0;
}

/** Every page that is there must show itself in a mapping of the whole object. */
export function* mustShowAll(subject: Subject, what: string, address: number): Steps<void> {
  for (const page of presentPages(subject)) {
    const seen = yield* user.load(address + page * subject.pageSize);
    mustBe(`${what}: page ${page}`, seen, subject.markOf(page));
  }
}

/** A load by an actor of its own, which may have to wait. */
export interface Touch {
  readonly actor: Actor;
  /** How it ended; undefined while it has not. */
  readonly seen: Access<number> | undefined;
}

/** Starts a thread that loads from an address. */
export function* startTouch(address: number, name = "toucher"): Steps<Touch> {
  const state: { seen: Access<number> | undefined } = { seen: undefined };
  const actor = yield* user.thread(function* () {
    state.seen = yield* user.load(address);
  }, name);
  return {
    actor,
    get seen() {
      return state.seen;
    },
  };
}

/** After everybody settled: a touch of what is taken away must have met what the subject promises. */
export function* mustBeHeldOff(subject: Subject, what: string, { actor, seen }: Touch): Steps<void> {
  if (subject.supports.whileRevoked === "sigbus") {
    mustBe(`${what} while the object is taken away`, seen, SIGBUS);
    return;
  }
  mustBe(`${what} while the object is taken away`, seen ?? "not over", "not over");
  mustBe(`the thread of ${what}`, yield* user.stateOf(actor), "blocked");
}

/** Starts a touch for each page that is there, lets everybody settle, and holds it to the promise. */
export function* mustHoldOff(subject: Subject, what: string, address: number): Steps<readonly Touch[]> {
  const touches: Touch[] = [];
  for (const page of presentPages(subject))
    touches.push(yield* startTouch(address + page * subject.pageSize));
  yield* user.settle();
  for (const touch of touches) yield* mustBeHeldOff(subject, `a load through ${what}`, touch);
  return touches;
}

/** Lets everybody else go on before a process ends, so that its end is no part of a race that is about something else. */
export function endApart(): Steps<number> {
  return user.sleep(A_WHILE);
}

/** What racing threads know of the object: whether it is taken away at present, and how often it was. */
export class Moment {
  #closings = 0;
  #isClosed = false;

  /** Takes the object away. */
  *close(subject: Subject): Steps<void> {
    yield* gateOf(subject).close();
    this.#closings++;
    this.#isClosed = true;
  }

  /** Takes the object away until nobody else can go on, and gives it back. */
  *takeAway(subject: Subject): Steps<void> {
    yield* this.close(subject);
    yield* user.sleep(A_WHILE);
    yield* this.open(subject);
  }

  /** Gives it back. */
  *open(subject: Subject): Steps<void> {
    this.#isClosed = false;
    yield* gateOf(subject).open();
  }

  /**
   * Loads from an object page at whatever moment it is. The load must end in one of the ways that the subject promises, or
   * one of `others`, and none that began and ended while the object was away may get through.
   */
  *touch(subject: Subject, address: number, page: number, others: readonly string[] = []): Steps<void> {
    const closings = this.#closings;
    const wasClosed = this.#isClosed;
    const seen = yield* user.load(address);
    const words = inWords(seen);
    if (!isTrap(seen) && wasClosed && this.#isClosed && closings === this.#closings) {
      throw new LawBroken(`a load from page ${page} reads ${words} while the object is taken away`);
    }
    const raised = subject.supports.whileRevoked === "sigbus" ? [SIGBUS] : [];
    const ends = [inWords(subject.markOf(page)), ...raised, ...others];
    if (!ends.includes(words)) {
      throw new LawBroken(`a load from page ${page} ends in ${words}, and must end in ${ends.join(" or ")}`);
    }
  }
}
