import { type ExitStatus, type SignalName, signalNumbers } from "@nopage/core";

/** A signal's number on x86, which is the model's too. */
export function signalNumber(name: SignalName): number {
  return signalNumbers[name];
}

/**
 * How a process has ended, by the number that the hub tells: a signal is negative.
 *
 * @throws Error for a signal that programs do not know
 */
export function exitStatus(status: number): ExitStatus {
  if (status >= 0) return { status };
  const names = Object.keys(signalNumbers) as readonly SignalName[];
  const signal = names.find((name) => signalNumbers[name] === -status);
  if (signal === undefined)
    throw new Error(`a process has ended with signal ${-status}, which is not known here`);
  return { signal };
}
