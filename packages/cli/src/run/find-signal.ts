import { parse } from "node:path";
import { nearestName, type Problem } from "@nopage/core/wiring";
import { loadSignal, type Signal, SignalError } from "@nopage/device-highway";

/** The signal, or why there is none. */
export async function findSignal(name: string): Promise<Signal | Problem> {
  try {
    return await loadSignal(name);
  } catch (failure) {
    if (!(failure instanceof SignalError)) throw failure;
    return { path: "signal", value: name, ...complaint(failure, name) };
  }
}

export function isSignal(found: Signal | Problem): found is Signal {
  return "samples" in found;
}

function complaint({ problem, expected, value, nearest }: SignalError, name: string) {
  if (problem === "missing-file" || problem === "unreadable-file") {
    // A file of that folder is named only when it is likely to be meant.
    const isNear = nearestName(parse(name).name, [parse(nearest).name]) !== undefined;
    return { expected: `${expected}, but there is ${value}`, nearest: isNear ? nearest : undefined };
  }
  const help = nearest.includes(" ") ? `; nearest choice: ${nearest}` : "";
  return {
    expected: `a signal, but in the file is ${value} instead of ${expected}${help}`,
    nearest: help === "" ? nearest : undefined,
  };
}
