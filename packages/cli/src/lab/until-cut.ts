import { GuestLost, ModuleRefused, NoGuests } from "@nopage/linux-lab";
import { type ExitCode, exitCodes } from "../command/exit-code.ts";
import { UsageError } from "../usage-error.ts";

/** Why a run has ended before its end. */
export interface Cut {
  /** Such as `SIGINT`. */
  readonly by: string;
  readonly code: ExitCode;
}

const signals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

type StopSignal = keyof typeof signals;

/**
 * Takes results as they come, until they end or the run is cut: by Ctrl-C, by whoever wants the process to end, which then ends
 * at once when it is asked for again, by a module that the kernel refuses, or for lack of guests. What had been taken stays taken.
 *
 * @throws UsageError for a module that was refused before anything was found
 */
export async function untilCut<Result>(
  resultsOf: (stop: AbortSignal) => AsyncIterable<Result>,
  take: (result: Result) => void,
): Promise<Cut | undefined> {
  const controller = new AbortController();
  let cut: Cut | undefined;
  let taken = 0;
  const stop = (by: NodeJS.Signals): void => {
    if (!isStopSignal(by)) return;
    cut ??= { by, code: signals[by] };
    forget();
    controller.abort(new Error(by));
  };
  const forget = (): void => names.forEach((name) => void process.off(name, stop));
  names.forEach((name) => void process.on(name, stop));
  try {
    for await (const result of resultsOf(controller.signal)) {
      // What was under way has lost its guest: what it says now is not about its subject.
      if (controller.signal.aborted) break;
      take(result);
      taken++;
    }
  } catch (failure) {
    if (cut === undefined && taken === 0 && failure instanceof ModuleRefused) throw usageError(failure);
    cut ??= cutBy(failure);
    if (cut === undefined) throw failure;
  } finally {
    forget();
  }
  return cut;
}

const names = Object.keys(signals).filter(isStopSignal);

function isStopSignal(name: string): name is StopSignal {
  return Object.hasOwn(signals, name);
}

function usageError({ file, why }: ModuleRefused): UsageError {
  const expected = `a module that the kernel loads, but it answers ${why}`;
  return new UsageError([{ path: "--module", value: file, expected, nearest: undefined }]);
}

function cutBy(failure: unknown): Cut | undefined {
  if (failure instanceof ModuleRefused) return { by: failure.message, code: exitCodes.usage };
  if (failure instanceof GuestLost || failure instanceof NoGuests)
    return { by: failure.message, code: exitCodes.broken };
  return undefined;
}
