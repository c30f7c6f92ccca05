import { VM_LOCKED } from "../contract/area-flags.ts";
import { ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { Access } from "../sched/points.ts";
import { askArea, askMaySplit, callOpen } from "./area-hooks.ts";
import { flushCacheRange, ShownFrames } from "./cache-flush.ts";
import { leafPoint } from "./entry-points.ts";
import { mergeRange } from "./merge.ts";
import { charge, link } from "./mmap.ts";
import { unmapLocked } from "./munmap.ts";
import { prepareBoundary, splitLeaf } from "./split.ts";
import { flushTlbRange } from "./tlb-flush.ts";
import type { Vma } from "./vma.ts";

/** A move of `[from, from + oldLength)` to `[to, to + newLength)`; all in bytes. */
export interface Move {
  readonly from: number;
  readonly oldLength: number;
  readonly to: number;
  readonly newLength: number;
  readonly oldRange: "unmap" | "keep";
}

/**
 * Moves part of an area to another place (`move_vma`), in this order (LC-12): the driver may veto the split; `open`
 * for the new area; entries moved and the old range flushed; the `mremap` hook; the old range unmapped, with `close`.
 * When the hook refuses, the entries move back and the new area is closed (LC-13).
 *
 * @returns the new address, or a negated errno
 */
export function* moveArea(area: Vma, move: Move): Sleepable<number> {
  const { mm } = area;
  const { from, oldLength, to, newLength } = move;
  if (mm.areas.size >= mm.machine.settings.maxAreas - 3) return -ENOMEM;
  // As Linux asks: for a length of 0 about the start of the area as well, where nothing would be split.
  const last = from + oldLength;
  const cuts = [...(from === area.start ? [] : [from]), ...(last === area.end ? [] : [last])];
  for (const cut of cuts) {
    const veto = yield* askMaySplit(area, cut);
    if (veto !== 0) return veto;
  }

  const moved = yield* placeFor(area, move);
  if (moved === undefined) return -ENOMEM;
  const source = area.isLinked ? area : moved;
  let error = (yield* moveEntries(source, moved, from, to, oldLength)) ? 0 : -ENOMEM;
  const { ops } = moved;
  if (error === 0 && ops?.mremap !== undefined) {
    error = yield* askArea(moved, ops, "mremap", () => ops.mremap?.(moved));
  }
  if (error !== 0) {
    yield* moveEntries(moved, source, to, from, oldLength);
    yield* unmapLocked(mm, to, newLength);
    return error;
  }
  if (move.oldRange === "keep") {
    unlock(source);
    if (source.start === from && source.end === last) source.clearLineage();
    return to;
  }
  if (oldLength > 0) yield* unmapLocked(mm, from, oldLength);
  return to;
}

/**
 * The area that the pages go to (`copy_vma`): one that lies there already and fits, or a new one, whose driver is told.
 * What has no private page yet is numbered by its new address, so that it fits its new neighbours; then it may even
 * become one with where it came from, unless that is kept: 6.1 leaves it apart from all neighbours then, as the Linux lab
 * has shown. Undefined when memory has run out.
 */
function* placeFor(area: Vma, { from, to, newLength, oldRange }: Move): Sleepable<Vma | undefined> {
  const { mm, flags, file, lineage } = area;
  const isUntouched = area.isAnonymous && lineage === undefined;
  const pgoff = isUntouched ? to * mm.perPage : area.pgoffOf(from);
  const end = to + newLength;
  const isBeside = isUntouched && (area.end === to || area.start === end);
  const joined =
    oldRange === "keep" && isBeside
      ? undefined
      : yield* mergeRange(mm, { start: to, end, flags, file, pgoff, lineage });
  if (joined !== undefined) {
    charge(mm, flags, newLength * mm.perPage);
    return joined;
  }
  if (!mm.machine.mayAllocateArea()) return undefined;
  const moved = area.duplicate(mm, to, to + newLength, pgoff);
  yield* callOpen(moved);
  yield* link(moved);
  return moved;
}

/** An area that was emptied but kept is not locked any more: the lock went with the pages. */
function unlock(area: Vma): void {
  if ((area.flags & VM_LOCKED) === 0) return;
  area.flags &= ~VM_LOCKED;
  area.mm.charge(0, -area.pages);
}

/**
 * Moves the entries of `length` bytes from one place to another (`move_page_tables`), with the reverse map held for
 * writing, so that a walk of it meets each entry in one place or the other, and with the old range flushed before
 * the page-table lock is given back (RV-03). False when there was no memory for a table.
 */
function* moveEntries(
  source: Vma,
  target: Vma,
  from: number,
  to: number,
  length: number,
): Sleepable<boolean> {
  const { mm } = source;
  const { machine, table } = mm;
  const { sched } = machine;
  if (length === 0) return true;
  yield* prepareBoundary(mm, from);
  yield* prepareBoundary(mm, from + length);
  const range = yield* mm.notifiers.begin(from, from + length, "unmap");
  if (source.mapping !== undefined) yield* source.mapping.lock.write();
  flushCacheRange(mm, from, from + length);
  const shown = new ShownFrames(mm);
  let isComplete = true;
  const offset = (to - from) * mm.perPage;
  const last = (from + length) * mm.perPage;
  let vpn = from * mm.perPage;
  while (vpn < last && isComplete) {
    yield* mm.pageTableLock.lock();
    const start = vpn;
    const end = Math.min(last, table.endOfLeafTable(vpn));
    while (vpn < end) {
      const slot = table.find(vpn);
      if (slot < 0) {
        vpn = Math.min(last, table.endOfEntry(vpn, table.level));
        continue;
      }
      const level = movableLevel(source, vpn, offset);
      if (level < 0) {
        yield* splitLeaf(mm, vpn);
        continue;
      }
      if (machine.tables.read(slot) !== 0) {
        const destination = table.ensure(vpn + offset, level);
        if (destination < 0) {
          isComplete = false;
          break;
        }
        if (sched.interleaving) yield leafPoint(mm, vpn, level, Access.write);
        // Read only now (`ptep_get_and_clear`): a walk of the hardware may have set the dirty bit until this very step.
        const entry = machine.tables.read(slot);
        machine.writeEntry(mm, slot, vpn, 0);
        shown.add(entry, table.pagesAt(level));
        if (sched.interleaving) yield leafPoint(mm, vpn + offset, level, Access.write);
        machine.writeEntry(mm, destination, vpn + offset, entry);
      }
      vpn += table.pagesAt(level);
    }
    yield* flushTlbRange(mm, start * mm.pageSize, vpn * mm.pageSize);
    yield* shown.flush();
    mm.pageTableLock.unlock();
  }
  if (source.mapping !== undefined) source.mapping.lock.unlockWrite();
  yield* mm.notifiers.end(range);
  if (source.hasPrivateCopies) target.prepareLineage();
  return isComplete;
}

/**
 * The level of the entry over `vpn`, which `find` has just looked up, if it can be moved whole by `offset` pages; -1 for a
 * large leaf that cannot. No table is in its way: what lay at the new place was unmapped, and its tables freed with it.
 */
function movableLevel({ mm: { table } }: Vma, vpn: number, offset: number): number {
  const { level } = table;
  const span = table.pagesAt(level);
  return offset % span === 0 && vpn % span === 0 ? level : -1;
}
