import type { Sleepable } from "../contract/execution.ts";
import { checkOutcome } from "../contract/outcome.ts";
import type { Fault } from "../contract/vm-ops.ts";
import { callHook, reportBreach, THREW } from "./call-hook.ts";
import type { FaultResult } from "./fault-result.ts";
import type { Vma } from "./vma.ts";

/**
 * Asks the driver before a shared entry becomes writable (`do_page_mkwrite`, `wp_pfn_shared`): undefined when it may, which
 * the driver says by `installed`; otherwise how the fault ends. Every error but lack of memory is SIGBUS (FR-15).
 */
export function* askToWrite(area: Vma, fault: Fault): Sleepable<FaultResult | undefined> {
  const { ops, mm } = area;
  if (ops?.mkwrite === undefined) return undefined;
  const name = { plugin: ops.name, hook: "mkwrite" };
  const outcome = yield* callHook(mm.machine, name, () => ops.mkwrite?.(fault));
  if (outcome === THREW) return "sigbus";
  const wrong = checkOutcome(outcome, false);
  if (wrong !== undefined) reportBreach(mm.machine, name, wrong, undefined);
  if (wrong !== undefined || outcome === undefined) return "sigbus";
  if (outcome.kind === "installed") return undefined;
  return outcome.kind === "oom" ? "oom" : "sigbus";
}
