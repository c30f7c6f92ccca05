import type { Problem } from "@nopage/core/wiring";
import { loadSignal, type Signal, SignalError } from "@nopage/device-highway";

/** The signal, or why there is none. */
export async function findSignal(name: string): Promise<Signal | Problem> {
  try {
    return await loadSignal(name);
  } catch (failure) {
    if (!(failure instanceof SignalError)) throw failure;
    const { expected, value, nearest } = failure;
    return {
      path: "signal",
      value: name,
      expected: `${expected}, but there is ${value}`,
      nearest,
    };
  }
}

export function isSignal(found: Signal | Problem): found is Signal {
  return "samples" in found;
}
