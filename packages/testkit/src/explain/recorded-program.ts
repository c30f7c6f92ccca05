import type { LawCase, Stage } from "../laws/law.ts";
import type { Body, Steps, UserOperation } from "../program/operation.ts";
import { withCalls } from "../program/with-calls.ts";
import { answerInWords, argumentsInWords, operationInWords } from "./operation-words.ts";

/** One step of a program as data. */
export interface RecordedStep {
  /** Whose it is: `main`, or what a thread or child is called, with a number where another is called the same. */
  readonly actor: string;
  /** An operation, such as `mmap`, or a call of what is tried, such as `subject.map`. */
  readonly call: string;
  /** The operation's request, or the arguments of the call. */
  readonly given: object;
  /** What came of it; undefined for what is told before it is done. */
  readonly answer: unknown;
}

/** Has a program note what it does, and what comes of it, in words and as data, while it is run. */
export function recordedCase(lawCase: LawCase, note: (line: string, step: RecordedStep) => void): LawCase {
  return {
    ...lawCase,
    program(stage) {
      const recorder = new Recorder(note);
      return recorder.follow(recorder.called("main"), lawCase.program(recorder.stage(stage)));
    },
  };
}

/** Who does a step: two may have the same name in words. */
interface Doer {
  readonly name: string;
  readonly id: string;
}

class Recorder {
  readonly #note: (line: string, step: RecordedStep) => void;
  /** Operations by which a subject does what it was asked for, which is told in its own words. */
  readonly #inner = new WeakSet<UserOperation>();
  readonly #names = new Map<string, number>();
  #actor: Doer = { name: "", id: "" };

  constructor(note: (line: string, step: RecordedStep) => void) {
    this.#note = note;
  }

  /** Somebody new of that name. */
  called(name: string): Doer {
    const before = this.#names.get(name) ?? 0;
    this.#names.set(name, before + 1);
    return { name, id: before === 0 ? name : `${name} ${before + 1}` };
  }

  /** The same steps, each told once it has been answered, or before where it may not be. */
  *follow<T>(actor: Doer, steps: Steps<T>): Steps<T> {
    let answer: unknown;
    for (;;) {
      this.#actor = actor;
      const step = steps.next(answer);
      if (step.done === true) return step.value;
      const isInner = this.#inner.has(step.value);
      const operation = this.#withBodyFollowed(step.value);
      const { call, request: given } = operation;
      const isToldBefore = startsOrEnds(operation);
      if (!isInner && isToldBefore) {
        const step = { actor: actor.id, call, given, answer: undefined };
        this.#note(`${actor.name}: ${operationInWords(operation)}`, step);
      }
      answer = yield operation;
      if (!isInner && isToldBefore && call === "fork" && typeof answer === "number") {
        this.#note(`${actor.name}: cannot fork${answerInWords(answer)}`, {
          actor: actor.id,
          call,
          given,
          answer,
        });
      }
      if (!isInner && !isToldBefore) {
        const line = `${actor.name}: ${operationInWords(operation)}${answerInWords(answer)}`;
        this.#note(line, { actor: actor.id, call, given, answer });
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
    const started = this.called(name);
    const followed: Body = () => this.follow(started, body());
    return { ...operation, request: { name, body: followed } };
  }

  /** The same object, of which every call that takes steps is told as one. */
  #told<T extends object>(object: T, name: string): T {
    return withCalls(object, name, (call, given, steps) => this.#asOne(call, given, steps));
  }

  *#asOne(call: string, given: readonly unknown[], steps: Steps<unknown>): Steps<unknown> {
    const actor = this.#actor;
    const what = `${call}(${argumentsInWords(given)})`;
    let answer: unknown;
    for (;;) {
      const step = steps.next(answer);
      if (step.done === true) {
        const line = `${actor.name}: ${what}${answerInWords(step.value)}`;
        this.#note(line, { actor: actor.id, call, given, answer: step.value });
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
