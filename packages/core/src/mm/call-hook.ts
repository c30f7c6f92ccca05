import { ContractViolation, InvariantBroken } from "../contract/contract-violation.ts";
import { EINVAL, MAX_ERRNO } from "../contract/errno.ts";
import type { MaySleep, Sleepable } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";
import { duringCall } from "../sanitize/calls.ts";
import { isGenerator } from "../sched/is-generator.ts";

/** A hook of a plugin, by the names under which a breach of its contract is reported. */
export interface HookName {
  readonly plugin: string;
  readonly hook: string;
}

/** What a hook that threw has instead of an answer. */
export const THREW = Symbol("the hook threw");

/** Runs a plugin's hook. What it throws is a breach of its contract: it is reported by name and goes no further. */
export function* callHook<T>(
  machine: Machine,
  name: HookName,
  call: () => MaySleep<T>,
): Sleepable<T | typeof THREW> {
  try {
    const answer = machine.isTraced ? duringCall(machine.sched, `${name.plugin}.${name.hook}`, call) : call();
    return isGenerator(answer) ? yield* answer : answer;
  } catch (cause) {
    if (cause instanceof InvariantBroken) throw cause;
    // A breach that was found further inside says itself whose it is.
    if (cause instanceof ContractViolation)
      machine.violations.report("contract", cause.message, {
        object: `${cause.plugin}.${cause.hook}`,
      });
    else reportBreach(machine, name, `threw ${String(cause)}`, cause);
    return THREW;
  }
}

/**
 * Runs a hook that answers 0 or a negated errno; one that is left out answers 0. What is neither is reported, and
 * counts as -EINVAL like an exception.
 */
export function* callErrnoHook(
  machine: Machine,
  name: HookName,
  call: () => MaySleep<number> | undefined,
): Sleepable<number> {
  const answer = yield* callHook(machine, name, () => call() ?? 0);
  if (answer === THREW) return -EINVAL;
  if (Number.isInteger(answer) && answer <= 0 && answer >= -MAX_ERRNO) return answer;
  reportBreach(machine, name, `answered ${String(answer)} instead of 0 or a negated errno`, undefined);
  return -EINVAL;
}

/** Reports that a plugin's hook broke its contract; `what` goes on from the hook's name. */
export function reportBreach(
  machine: Machine,
  { plugin, hook }: HookName,
  what: string,
  cause: unknown,
): void {
  const { message } = new ContractViolation(plugin, hook, what, cause);
  machine.violations.report("contract", message, { object: `${plugin}.${hook}` });
}
