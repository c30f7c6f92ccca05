import { invariant } from "../contract/contract-violation.ts";
import { ENOMEM } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import { Access } from "../sched/points.ts";
import { askMaySplit, callOpen } from "./area-hooks.ts";
import { leafPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
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
  if (!mm.machine.mayAllocateArea()) return -ENOMEM;
  yield* prepareBoundary(mm, address);

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

/** Makes sure that no large leaf crosses `address` (`vma_adjust_trans_huge`), so that either side can be changed alone. */
export function* prepareBoundary(mm: Mm, address: number): Atomic<void> {
  const vpn = address * mm.perPage;
  yield* mm.pageTableLock.lock();
  while (mm.table.find(vpn) >= 0 && mm.table.level > 0 && vpn % mm.table.pagesAt(mm.table.level) !== 0) {
    yield* splitLeaf(mm, vpn);
  }
  mm.pageTableLock.unlock();
}

/** Splits the large leaves over `vpn` until its entry is of level 0; answers its slot. The page-table lock is held. */
export function* splitDownTo(mm: Mm, vpn: number): Atomic<number> {
  for (;;) {
    const slot = mm.table.find(vpn);
    if (slot < 0 || mm.table.level === 0) return slot;
    yield* splitLeaf(mm, vpn);
  }
}

/**
 * Splits the large leaf over `vpn` into leaves one level below (`__split_huge_pmd`). The page-table lock is held. It
 * cannot fail: whoever wrote the leaf has deposited the tables for it.
 */
export function* splitLeaf(mm: Mm, vpn: number): Atomic<void> {
  const { table, machine } = mm;
  const slot = table.find(vpn);
  const { level } = table;
  if (machine.sched.interleaving) yield leafPoint(mm, vpn, level, Access.write);
  invariant(table.splitLarge(slot, level), `no table was deposited for the large leaf over page ${vpn}`);
}
