import type { LawCase } from "../laws/law.ts";
import type { Body, Steps, UserOperation } from "../program/operation.ts";

/** What is left out of a program: an actor that it starts ends after so many operations; at once where that is none. */
export interface LeftOut {
  /** Which actor: its number among those that its starter starts, from 1, after that of the starter: `2`, or `2.1`. */
  readonly actor: string;
  /** What the program calls it. */
  readonly name: string;
  /** Operations that it still performs. */
  readonly after: number;
}

/** An actor that a program has started in a run. */
export interface StartedActor {
  readonly actor: string;
  readonly name: string;
  /** Operations that it began. */
  operations: number;
}

/**
 * The same program without some of what its actors do. Whoever is left out is started all the same and ends early, as a
 * thread does that has nothing more to do, so that the others can wait for it.
 *
 * @param started is given the actors in the order in which they begin
 */
export function shortenedCase(
  lawCase: LawCase,
  leftOut: readonly LeftOut[],
  started: StartedActor[] = [],
): LawCase {
  const most = new Map(leftOut.map(({ actor, after }) => [actor, after]));
  return { ...lawCase, program: (stage) => followed("", lawCase.program(stage), { most, started }) };
}

interface Cuts {
  readonly most: ReadonlyMap<string, number>;
  readonly started: StartedActor[];
}

/** The operations of one actor, of whose own actors some end early. */
function* followed<T>(path: string, steps: Steps<T>, cuts: Cuts): Steps<T> {
  let answer: unknown;
  let children = 0;
  for (;;) {
    const step = steps.next(answer);
    if (step.done === true) return step.value;
    const operation = step.value;
    if (isStart(operation)) {
      children++;
      answer = yield withBody(operation, `${path}${children}`, cuts);
    } else answer = yield operation;
  }
}

type Start = Extract<UserOperation, { readonly call: "thread" | "fork" | "process" }>;

function isStart(operation: UserOperation): operation is Start {
  return operation.call === "thread" || operation.call === "fork" || operation.call === "process";
}

function withBody(operation: Start, actor: string, cuts: Cuts): UserOperation {
  const { body, name } = operation.request;
  const most = cuts.most.get(actor) ?? Number.POSITIVE_INFINITY;
  const shortened: Body = function* () {
    const started: StartedActor = { actor, name, operations: 0 };
    cuts.started.push(started);
    if (most > 0) yield* upTo(most, followed(`${actor}.`, body(), cuts), started);
  };
  return { ...operation, request: { name, body: shortened } };
}

/** The first operations of an actor. Nothing is cleared up after the last, as when a thread is killed. */
function* upTo(most: number, steps: Steps<void>, started: StartedActor): Steps<void> {
  let answer: unknown;
  for (;;) {
    const step = steps.next(answer);
    if (step.done === true || started.operations === most) return;
    started.operations++;
    answer = yield step.value;
  }
}
