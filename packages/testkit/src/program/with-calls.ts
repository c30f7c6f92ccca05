import type { Steps } from "./operation.ts";

/** What becomes of a call that takes steps: its name, such as `subject.gate.close`, what it was given, and its steps. */
export type AroundCall = (call: string, given: readonly unknown[], steps: Steps<unknown>) => Steps<unknown>;

/** The same object, of which every call that takes steps, also of its parts, takes those that are made of them. */
export function withCalls<T extends object>(object: T, name: string, around: AroundCall): T {
  return new Proxy(object, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof key === "symbol") return value;
      if (typeof value === "object" && value !== null && !Array.isArray(value) && key !== "supports") {
        return withCalls(value, `${name}.${key}`, around);
      }
      if (typeof value !== "function") return value;
      return (...given: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, given);
        return isSteps(answer) ? around(`${name}.${key}`, given, answer) : answer;
      };
    },
  });
}

function isSteps(answer: unknown): answer is Steps<unknown> {
  return typeof answer === "object" && answer !== null && Symbol.iterator in answer && "next" in answer;
}
