import { basename, dirname, isAbsolute, join, parse } from "node:path";
import { nearestName, type Problem } from "@nopage/core/wiring";
import { loadSignal, type Signal, SignalError } from "@nopage/device-highway";
import type { SignalSetting } from "../config/read-configuration.ts";

/** The signal, or why there is none. */
export async function findSignal({ written, location }: SignalSetting): Promise<Signal | Problem> {
  try {
    return await loadSignal(location);
  } catch (failure) {
    if (!(failure instanceof SignalError)) throw failure;
    return { path: "signal", value: written, ...complaint(failure, written) };
  }
}

export function isSignal(found: Signal | Problem): found is Signal {
  return "samples" in found;
}

function complaint({ problem, expected, value, nearest }: SignalError, written: string) {
  if (problem === "missing-file" || problem === "unreadable-file") {
    // A file of that folder is named only when it is likely to be meant.
    const isNear = nearestName(parse(written).name, [parse(nearest).name]) !== undefined;
    // It was looked for by its absolute path, and is named as it could have been written.
    const choice = isAbsolute(nearest) ? join(dirname(written), basename(nearest)) : nearest;
    return { expected: `${expected}, but there is ${value}`, nearest: isNear ? choice : undefined };
  }
  const help = nearest.includes(" ") ? `; nearest choice: ${nearest}` : "";
  return {
    expected: `a signal, but in the file is ${value} instead of ${expected}${help}`,
    nearest: help === "" ? nearest : undefined,
  };
}
