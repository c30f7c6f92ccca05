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
  const known = new Map<PropertyKey, unknown>();
  return new Proxy(part, {
    get(target, key) {
      const held = known.get(key);
      if (held !== undefined) return held;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value === "function") {
        const isApart = apart.some((name) => name === key);
        const call = (...passed: readonly unknown[]): unknown => {
          const run = (): unknown => Reflect.apply(value, target, passed);
          return isApart ? run() : duringCall(sched, String(key), run);
        };
        known.set(key, call);
        return call;
      }
      if (typeof value !== "object" || value === null || !inside.some((name) => name === key)) return value;
      const within = traced(sched, value);
      known.set(key, within);
      return within;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}
