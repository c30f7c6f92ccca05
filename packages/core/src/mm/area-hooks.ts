import { ContractViolation } from "../contract/contract-violation.ts";
import type { MaySleep, Sleepable } from "../contract/execution.ts";
import { isGenerator } from "../sched/is-generator.ts";
import type { Vma } from "./vma.ts";

/** Tells the driver that a new area of its came to be; nothing for one without operations. */
export function* callOpen(area: Vma): Sleepable<void> {
  area.mm.machine.keepFile(area.file);
  area.mm.machine.log.record("area-open", area.id, area.mm.id, area.pages);
  const { ops } = area;
  if (ops?.open !== undefined) yield* guarded(area, "open", () => ops.open?.(area));
}

/** Tells the driver that an area is gone, then drops the area's reference on its file (LC-06). */
export function* callClose(area: Vma): Sleepable<void> {
  area.mm.machine.log.record("area-close", area.id, area.mm.id, area.pages);
  const { ops } = area;
  if (ops?.close !== undefined) yield* guarded(area, "close", () => ops.close?.(area));
  yield* area.mm.machine.dropFile(area.file);
}

/** Runs a hook that has no way to fail: what it throws is a breach of its contract and is reported. */
function* guarded(area: Vma, hook: string, call: () => MaySleep<void>): Sleepable<void> {
  try {
    const answer = call();
    if (isGenerator(answer)) yield* answer;
  } catch (cause) {
    const violation = new ContractViolation(
      area.ops?.name ?? "a driver",
      hook,
      `threw ${String(cause)}`,
      cause,
    );
    area.mm.machine.violations.report("contract", violation.message);
  }
}
