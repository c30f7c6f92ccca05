import { EAGAIN, EFAULT, ENOMEM } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { Page } from "../contract/units.ts";
import { PG_anon } from "../memory/page-flags.ts";
import { makePte, pteFlags } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { allocateAnonymousPage } from "./anonymous-fault.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import { entryPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import { alsoCounts } from "./page-points.ts";
import { flushTlbRange } from "./tlb-flush.ts";
import type { Vma } from "./vma.ts";
import { countedPage, forgetPage, rememberPage } from "./zap.ts";

/**
 * Moves one private page of a process to another frame (`move_pages(2)` of one page): what happens behind every driver's
 * back. A page that anybody else holds, by reference or pin, stays where it is. So does one that another process maps, as
 * it does in Linux unless MPOL_MF_MOVE_ALL or compaction asks, which change the entries of all processes; they are not
 * modelled.
 *
 * @returns 0; -EFAULT where no private page is mapped; -EAGAIN for a page that somebody else holds or maps; -ENOMEM
 */
export function* migratePage(mm: Mm, address: number): Sleepable<number> {
  yield* mm.lock.read();
  const area = mm.areas.find(address);
  const result = area === undefined ? -EFAULT : yield* migrateIn(area, address - (address % mm.pageSize));
  mm.lock.unlockRead();
  return result;
}

function* migrateIn(area: Vma, base: number): Sleepable<number> {
  const { mm } = area;
  const { machine } = mm;
  const target = allocateAnonymousPage(area);
  if (target === undefined) return -ENOMEM;
  const range = yield* mm.notifiers.begin(base, base + mm.pageSize, "migrate");
  yield* mm.pageTableLock.lock();
  const moved = yield* exchange(area, base, target);
  mm.pageTableLock.unlock();
  yield* mm.notifiers.end(range);
  yield* machine.putPage(moved < 0 ? target : (moved as Page));
  return Math.min(moved, 0);
}

/** Puts `target` in the place of what is mapped, under the page-table lock: the old page, or a negated errno. */
function* exchange(area: Vma, base: number, target: Page): Atomic<number> {
  const { mm } = area;
  const { machine, table } = mm;
  const { sched, memory } = machine;
  const vpn = base * mm.perPage;
  const slot = table.find(vpn);
  const isSingle = slot >= 0 && table.level === 0;
  // Which page it is stands fast under the lock; its flags may still change.
  const page = isSingle ? countedPage(area, table.pool.read(slot)) : undefined;
  if (sched.interleaving) {
    yield alsoCounts(machine, entryPoint(mm, vpn, Access.write), page, Access.write);
  }
  if (page === undefined || !memory.frames.hasFlags(page, PG_anon)) return -EFAULT;
  if (memory.frames.refcount[page] !== 1) return -EAGAIN;
  const entry = table.pool.read(slot);
  machine.writeEntry(mm, slot, vpn, 0);
  yield* flushTlbRange(mm, base, base + mm.pageSize);
  yield* mm.notifiers.pageCleared(base);
  if (sched.interleaving) {
    const write = alsoCounts(machine, entryPoint(mm, vpn, Access.write), page, Access.countUp);
    yield sched.also(write, ObjectKind.frameContents, page, Access.read);
  }
  flushCachedFrame(mm, page);
  memory.copyFrame(target, page);
  forgetPage(area, page, entry);
  rememberPage(area, target);
  machine.writeEntry(mm, slot, vpn, makePte(target, pteFlags(entry)));
  return page;
}
