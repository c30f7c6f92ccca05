import type { Point, Sleep } from "../contract/execution.ts";

/**
 * Whether a hook answered with kernel code still to be run instead of a plain value. Plain values are never
 * generators: outcomes, numbers, booleans, areas' operations and undefined.
 */
export function isGenerator<T, Y extends Point | Sleep>(
  answer: T | Generator<Y, T, void>,
): answer is Generator<Y, T, void> {
  if (typeof answer !== "object" || answer === null) return false;
  // Reading a property that is absent is much cheaper than asking for it with `in`, and this runs in every fault.
  return (answer as { readonly next?: unknown }).next !== undefined;
}
