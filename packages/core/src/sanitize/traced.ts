import type { Scheduler } from "../sched/scheduler.ts";
import { duringCall } from "./calls.ts";

/** What of an object is treated otherwise than the rest. */
export interface TracedShape<T> {
  /** Fields that hold objects which are traced as well. */
  readonly inside?: readonly (keyof T)[];
  /** Functions that do not stand among the callers. */
  readonly apart?: readonly (keyof T)[];
}

/**
 * The same object, each of whose functions stands among the callers of what it does, by its name. Its fields are handed out as
 * they are.
 */
export function traced<T extends object>(sched: Scheduler, part: T, shape: TracedShape<T> = {}): T {
  const { inside = [], apart = [] } = shape;
  /** By key, what is handed out, and for which value: a test may put another function in place. */
  const known = new Map<PropertyKey, { readonly value: unknown; readonly handed: unknown }>();
  const handOut = (target: T, key: PropertyKey, value: unknown): unknown => {
    if (typeof value === "function") {
      if (apart.some((name) => name === key)) return value.bind(target);
      return (...passed: readonly unknown[]): unknown =>
        duringCall(sched, String(key), () => Reflect.apply(value, target, passed));
    }
    const isTraced = inside.some((name) => name === key);
    return isTraced && typeof value === "object" && value !== null ? traced(sched, value) : value;
  };
  return new Proxy(part, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function" && typeof value !== "object") return value;
      const before = known.get(key);
      if (before !== undefined && before.value === value) return before.handed;
      const handed = handOut(target, key, value);
      known.set(key, { value, handed });
      return handed;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}
