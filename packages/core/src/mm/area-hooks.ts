import type { MaySleep, Sleepable } from "../contract/execution.ts";
import type { VmOps } from "../contract/vm-ops.ts";
import { callErrnoHook, callHook } from "./call-hook.ts";
import type { Vma } from "./vma.ts";

/** Tells the driver that a new area of its came to be; nothing for one without operations. */
export function* callOpen(area: Vma): Sleepable<void> {
  const { ops, mm } = area;
  mm.machine.keepFile(area.file);
  mm.machine.log.record("area-open", area.id, mm.id, area.pages);
  if (ops?.open === undefined) return;
  yield* callHook(mm.machine, { plugin: ops.name, hook: "open" }, () => ops.open?.(area));
}

/** Tells the driver that an area is gone, then drops the area's reference on its file (LC-06). */
export function* callClose(area: Vma): Sleepable<void> {
  const { ops, mm } = area;
  mm.machine.log.record("area-close", area.id, mm.id, area.pages);
  if (ops?.close !== undefined) {
    yield* callHook(mm.machine, { plugin: ops.name, hook: "close" }, () => ops.close?.(area));
  }
  yield* mm.machine.dropFile(area.file);
}

/** Gives back what an area held that was made one with another; its driver is not told (`__vma_adjust`, 6.1). */
export function* forgetArea({ id, mm, file, pages }: Vma): Sleepable<void> {
  mm.machine.log.record("area-close", id, mm.id, pages);
  yield* mm.machine.dropFile(file);
}

/** Asks the driver whether an area may be split at `address`: 0, or the errno of its veto (LC-09). */
export function* askMaySplit(area: Vma, address: number): Sleepable<number> {
  const { ops } = area;
  if (ops?.maySplit === undefined) return 0;
  return yield* askArea(area, ops, "maySplit", () => ops.maySplit?.(area, address as Vma["start"]));
}

/** Asks a hook of the area's driver that answers 0 or a negated errno. */
export function* askArea(
  area: Vma,
  ops: VmOps,
  hook: string,
  call: () => MaySleep<number> | undefined,
): Sleepable<number> {
  return yield* callErrnoHook(area.mm.machine, { plugin: ops.name, hook }, call);
}
