import { ContractViolation, InvariantBroken, type Point, type Sleep } from "@nopage/core";
import type { HookGuard } from "./hook-guard.ts";

/** What unwinds a thread that has to end, which no plugin is to blame for. */
const UNWINDING = "ThreadExit";

/** Runs a hook whose caller does not know by itself whom to blame for an exception. */
export function* blamed<T, Y extends Point | Sleep>(
  guard: HookGuard,
  hook: string,
  run: () => Generator<Y, T, void>,
): Generator<Y, T, void> {
  try {
    return yield* run();
  } catch (cause) {
    if (cause instanceof ContractViolation || cause instanceof InvariantBroken) throw cause;
    if (cause instanceof Error && cause.name === UNWINDING) throw cause;
    throw guard.breach(hook, `threw ${String(cause)}`, cause);
  }
}
