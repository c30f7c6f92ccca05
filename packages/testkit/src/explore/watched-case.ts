import type { LawCase } from "../laws/law.ts";
import type { Body, Steps, UserOperation } from "../program/operation.ts";

/** The same program, of which is told at once when one of its threads throws: what ends the thread comes later. */
export function watchedCase(lawCase: LawCase, onThrow: () => void): LawCase {
  return { ...lawCase, program: (stage) => watched(lawCase.program(stage), onThrow) };
}

function* watched<T>(steps: Steps<T>, onThrow: () => void): Steps<T> {
  let answer: unknown;
  for (;;) {
    const step = nextOf(steps, answer, onThrow);
    if (step.done === true) return step.value;
    answer = yield withBodyWatched(step.value, onThrow);
  }
}

function nextOf<T>(steps: Steps<T>, answer: unknown, onThrow: () => void): ReturnType<Steps<T>["next"]> {
  try {
    return steps.next(answer);
  } catch (thrown) {
    onThrow();
    throw thrown;
  }
}

function withBodyWatched(operation: UserOperation, onThrow: () => void): UserOperation {
  if (operation.call !== "thread" && operation.call !== "fork" && operation.call !== "process") {
    return operation;
  }
  const { body, name } = operation.request;
  const followed: Body = () => watched(body(), onThrow);
  return { ...operation, request: { name, body: followed } };
}
