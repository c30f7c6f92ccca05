import {
  isAccountable,
  MAY_SHIFT,
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_LOCKED,
  VM_SHARED,
  VM_WRITE,
} from "../contract/area-flags.ts";
import { EACCES, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import { PG_anon, PG_anon_exclusive } from "../memory/page-flags.ts";
import { changeFlags, PTE_DIRTY, PTE_READ, PTE_WRITE } from "../mmu/pte.ts";
import { Access } from "../sched/points.ts";
import { askArea } from "./area-hooks.ts";
import { flushCacheRange } from "./cache-flush.ts";
import { changeAreaFlags } from "./change-flags.ts";
import { entryPoint } from "./entry-points.ts";
import { beginFlush, endFlush } from "./gather.ts";
import type { Mm } from "./mm.ts";
import { pageAlign, wraps } from "./munmap.ts";
import { populateHeld } from "./populate.ts";
import { flushTlbRange } from "./tlb-flush.ts";
import type { Vma } from "./vma.ts";
import { countedPage } from "./zap.ts";

/**
 * `mprotect(2)`: gives `[address, address + length)` another protection, area by area; what was changed before an error
 * stays changed. The driver is asked last (PE-03), and may veto the split of an area (LC-09).
 *
 * @param protection VM_READ, VM_WRITE, VM_EXEC
 * @returns 0; -EINVAL unaligned; -ENOMEM for a range with a hole or one that wraps; -EACCES for what the area may never be; the errno of a
 *   driver's hook
 */
export function* mprotect(mm: Mm, address: number, length: number, protection: number): Sleepable<number> {
  if (address % mm.pageSize !== 0) return -EINVAL;
  if (length === 0) return 0;
  const bytes = pageAlign(mm, length);
  if (bytes <= 0 || wraps(mm, address, bytes)) return -ENOMEM;
  yield* mm.lock.write();
  const result = yield* protectLocked(mm, address, address + bytes, protection);
  mm.lock.unlockWrite();
  return result;
}

function* protectLocked(mm: Mm, start: number, end: number, protection: number): Sleepable<number> {
  let at = start;
  while (at < end) {
    const area = mm.areas.find(at);
    if (area === undefined) return -ENOMEM;
    const next = Math.min(area.end, end);
    const flags = (area.flags & ~VM_ACCESS_FLAGS) | (protection & VM_ACCESS_FLAGS);
    if ((flags & VM_ACCESS_FLAGS & ~(flags >> MAY_SHIFT)) !== 0) return -EACCES;
    const { ops } = area;
    if (ops?.mprotect !== undefined) {
      const ask = () => ops.mprotect?.(area, at as Vma["start"], next as Vma["end"], flags);
      const refusal = yield* askArea(area, ops, "mprotect", ask);
      if (refusal !== 0) return refusal;
    }
    const changed = yield* protectPart(area, at, next, flags);
    if (typeof changed === "number") return changed;
    at = Math.max(next, changed.end);
  }
  return 0;
}

/**
 * Changes the flags of `[start, end)` of one area and then its entries (`mprotect_fixup`); the area that has it now. Private
 * memory that may be written from now on is charged, and stays so; where it is locked it is copied at once.
 */
function* protectPart(area: Vma, start: number, end: number, flags: number): Sleepable<Vma | number> {
  const before = area.flags;
  if (flags === before) return area;
  const isNewlyCharged = isAccountable(flags) && (before & VM_WRITE) === 0;
  const part = yield* changeAreaFlags(area, start, end, isNewlyCharged ? flags | VM_ACCOUNT : flags);
  if (typeof part === "number") return part;
  yield* changeProtection(part, start, end);
  const isLockedForReading = (before & (VM_WRITE | VM_SHARED | VM_LOCKED)) === VM_LOCKED;
  if (isLockedForReading && (flags & VM_WRITE) !== 0) yield* populateHeld(part, start, end);
  area.mm.machine.log.record("mprotect", area.mm.id, start, flags & VM_ACCESS_FLAGS);
  return part;
}

/**
 * Makes every entry of `[start, end)` of an area agree with its flags (`change_protection`), and flushes. Where not all
 * entries may become writable, those do at once of which a fault would find nothing more to ask.
 */
function* changeProtection(area: Vma, start: number, end: number): Sleepable<void> {
  const { mm } = area;
  const { table } = mm;
  const range = yield* mm.notifiers.begin(start, end, "protection-vma");
  const last = end * mm.perPage;
  let vpn = start * mm.perPage;
  yield* beginFlush(mm);
  flushCacheRange(mm, start, end);
  while (vpn < last) {
    yield* mm.pageTableLock.lock();
    const slot = table.find(vpn);
    const { level } = table;
    const next = level > 0 ? table.endOfEntry(vpn, level) : table.endOfLeafTable(vpn);
    if (slot >= 0) yield* protectEntries(area, slot, vpn, level > 0 ? vpn + 1 : Math.min(next, last));
    mm.pageTableLock.unlock();
    vpn = next;
  }
  yield* flushTlbRange(mm, start, end);
  yield* endFlush(mm);
  yield* mm.notifiers.end(range);
}

function* protectEntries(area: Vma, slot: number, vpn: number, end: number): Atomic<void> {
  const { mm } = area;
  const { machine } = mm;
  const rights = area.pteFlags() & (PTE_READ | PTE_WRITE);
  for (let at = vpn; at < end; at++) {
    const before = machine.tables.read(slot + at - vpn);
    if (before === 0) continue;
    if (machine.sched.interleaving) {
      yield entryPoint(mm, at, Access.write);
    }
    const entry = machine.tables.read(slot + at - vpn);
    const write = mayBeWritten(area, entry) ? PTE_WRITE : 0;
    machine.writeEntry(mm, slot + at - vpn, at, changeFlags(entry, PTE_READ | PTE_WRITE, rights | write));
  }
}

/**
 * Whether stores may go through an entry without a fault (`can_change_pte_writable`, 6.1): it has been written through
 * before, so that a shared area's driver was asked then, and a private area's page is its own.
 */
function mayBeWritten(area: Vma, entry: number): boolean {
  if ((area.flags & VM_WRITE) === 0 || (entry & PTE_DIRTY) === 0) return false;
  if (area.isShared) return true;
  const { frames } = area.mm.machine.memory;
  const page = countedPage(area, entry);
  return page !== undefined && frames.hasFlags(page, PG_anon) && frames.hasFlags(page, PG_anon_exclusive);
}
