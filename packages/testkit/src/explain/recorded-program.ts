import type { LawCase, Stage } from "../laws/law.ts";
import type { Body, Steps, UserOperation } from "../program/operation.ts";
import { answerInWords, argumentsInWords, operationInWords } from "./operation-words.ts";

/** Has a program note in words what it does, and what comes of it, while it is run. */
export function recordedCase(lawCase: LawCase, note: (line: string) => void): LawCase {
  const recorder = new Recorder(note);
  return {
    ...lawCase,
    program: (stage) => recorder.follow("main", lawCase.program(recorder.stage(stage))),
  };
}

class Recorder {
  readonly #note: (line: string) => void;
  /** Operations by which a subject does what it was asked for, which is told in its own words. */
  readonly #inner = new WeakSet<UserOperation>();
  #actor = "";

  constructor(note: (line: string) => void) {
    this.#note = note;
  }

  /** The same steps, each told once it has been answered, or before where it may not be. */
  *follow<T>(actor: string, steps: Steps<T>): Steps<T> {
    let answer: unknown;
    for (;;) {
      this.#actor = actor;
      const step = steps.next(answer);
      if (step.done === true) return step.value;
      const isInner = this.#inner.has(step.value);
      const operation = this.#withBodyFollowed(step.value);
      if (!isInner && startsOrEnds(operation)) this.#note(`${actor}: ${operationInWords(operation)}`);
      answer = yield operation;
      if (!isInner && !startsOrEnds(operation)) {
        this.#note(`${actor}: ${operationInWords(operation)}${answerInWords(answer)}`);
      }
    }
  }

  stage(stage: Stage): Stage {
    const { subject, pinner } = stage;
    return {
      ...stage,
      subject: this.#told(subject, "subject"),
      pinner: pinner === undefined ? undefined : this.#told(pinner, "pinner"),
    };
  }

  #withBodyFollowed(operation: UserOperation): UserOperation {
    if (operation.call !== "thread" && operation.call !== "fork" && operation.call !== "process") {
      return operation;
    }
    const { body, name } = operation.request;
    const followed: Body = () => this.follow(name, body());
    return { ...operation, request: { name, body: followed } };
  }

  /** The same object, of which every call that takes steps is told as one. */
  #told<T extends object>(object: T, name: string): T {
    return new Proxy(object, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof key === "symbol") return value;
        if (typeof value === "object" && value !== null && !Array.isArray(value) && key !== "supports") {
          return this.#told(value, `${name}.${key}`);
        }
        if (typeof value !== "function") return value;
        return (...given: readonly unknown[]): unknown => {
          const answer: unknown = Reflect.apply(value, target, given);
          if (!isSteps(answer)) return answer;
          return this.#asOne(`${name}.${key}(${argumentsInWords(given)})`, answer);
        };
      },
    });
  }

  *#asOne(what: string, steps: Steps<unknown>): Steps<unknown> {
    const actor = this.#actor;
    let answer: unknown;
    for (;;) {
      const step = steps.next(answer);
      if (step.done === true) {
        this.#note(`${actor}: ${what}${answerInWords(step.value)}`);
        return step.value;
      }
      this.#inner.add(step.value);
      answer = yield step.value;
    }
  }
}

/** What is told before it is done: others may speak in between. */
function startsOrEnds({ call }: UserOperation): boolean {
  return ["thread", "fork", "process", "exit", "kernel"].includes(call);
}

function isSteps(answer: unknown): answer is Steps<unknown> {
  return typeof answer === "object" && answer !== null && Symbol.iterator in answer && "next" in answer;
}
