import { ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { askMaySplit, callOpen } from "./area-hooks.ts";
import type { Vma } from "./vma.ts";

/**
 * Splits an area in two at `address` (`__split_vma`): the driver may veto it, its `open` runs once for the new area,
 * and both stand in the reverse map afterwards. `half` says which half the new area takes; the other half keeps the
 * original object. The mmap lock is held for writing.
 *
 * @returns the new area, or a negated errno with nothing changed
 */
export function* splitArea(area: Vma, address: number, half: "below" | "above"): Sleepable<Vma | number> {
  const { mm } = area;
  const refusal = yield* askMaySplit(area, address);
  if (refusal !== 0) return refusal;
  if (!mm.machine.mayAllocateArea() || !prepareBoundary(area, address)) return -ENOMEM;

  const middle = area.pgoffOf(address);
  const created =
    half === "below"
      ? area.duplicate(mm, area.start, address, area.pgoff)
      : area.duplicate(mm, address, area.end, middle);
  yield* callOpen(created);
  if (area.mapping !== undefined) {
    yield* area.mapping.lock.write();
    area.mapping.unlink(area);
  }
  if (half === "below") mm.areas.resize(area, address, area.end, middle);
  else mm.areas.resize(area, area.start, address, area.pgoff);
  mm.areas.insert(created);
  if (area.mapping !== undefined) {
    area.mapping.link(area);
    area.mapping.link(created);
    area.mapping.lock.unlockWrite();
  }
  return created;
}

/**
 * Makes sure that no large leaf crosses `address` (`vma_adjust_trans_huge`), so that either side can be changed alone.
 * False when there is no memory for it.
 */
export function prepareBoundary(area: Vma, address: number): boolean {
  const { mm } = area;
  const { table } = mm;
  const vpn = address * mm.perPage;
  for (;;) {
    const slot = table.find(vpn);
    if (slot < 0 || table.level === 0 || vpn % table.pagesAt(table.level) === 0) return true;
    if (table.pool.read(slot) === 0) return true;
    if (!table.splitLarge(slot, table.level)) return false;
  }
}
