import {
  isGenerator,
  type Machine,
  type MaySleep,
  type Pinned,
  type PinningHooks,
  type PinningPolicy,
  type Sleepable,
} from "@nopage/core";
import { blamed } from "./blamed.ts";
import { freezeClaims, nothing } from "./handed.ts";
import { HookGuard } from "./hook-guard.ts";
import { hooksOf, inWords } from "./hooks-of.ts";

/** The same policy with every call of its hooks looked at. */
export function guardedPolicy(policy: PinningPolicy, machine: Machine): PinningPolicy {
  freezeClaims(policy.supports);
  const guard = new HookGuard(policy.name, machine);
  return {
    name: policy.name,
    supports: policy.supports,
    create(kernel): PinningHooks {
      const optional = ["quarantined", "releaseQuarantine"] as const;
      const hooks = hooksOf(guard, () => policy.create(kernel), ["pin", "unpin"], optional);
      const { quarantined, releaseQuarantine } = hooks;
      return {
        *pin(mm, start, pages, access, stop) {
          const pinned = yield* finished(guard, "pin", () => hooks.pin(mm, start, pages, access, stop));
          checkPinned(guard, pinned);
          return pinned;
        },
        unpin: (pinned, contents) => finished(guard, "unpin", () => hooks.unpin(pinned, contents)),
        ...(quarantined !== undefined && { quarantined: () => quarantined.call(hooks) }),
        ...(releaseQuarantine !== undefined && {
          releaseQuarantine: () => finished(guard, "releaseQuarantine", () => releaseQuarantine.call(hooks)),
        }),
      };
    },
  };
}

function* finished<T>(guard: HookGuard, hook: string, run: () => MaySleep<T>): Sleepable<T> {
  return yield* blamed(guard, hook, function* () {
    const answer: MaySleep<T> = guard.call(hook, nothing, run);
    return isGenerator(answer) ? yield* answer : answer;
  });
}

/** @throws ContractViolation for what is neither a token nor a negated errno */
function checkPinned(guard: HookGuard, answer: Pinned | number): void {
  if (typeof answer === "number") {
    if (Number.isInteger(answer) && answer < 0) return;
    throw guard.breach("pin", `answered ${answer}, which is no negated errno`);
  }
  const isToken = typeof answer === "object" && answer !== null && Array.isArray(answer.pages);
  if (!isToken) throw guard.breach("pin", `answered ${inWords(answer)} instead of a token with its pages`);
}
