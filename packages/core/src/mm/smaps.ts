import { areaFlagNames, VM_LOCKED, VM_PFNMAP, VM_SHARED } from "../contract/area-flags.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Pfn, UserAddress } from "../contract/units.ts";
import { PG_anon } from "../memory/page-flags.ts";
import { ptePfn } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { noteLook } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import { noteLookAt } from "./page-points.ts";
import type { Vma } from "./vma.ts";
import { countedPage } from "./zap.ts";

/** One area as /proc/PID/smaps shows it; sizes in pages. */
export interface SmapsArea {
  readonly start: UserAddress;
  readonly end: UserAddress;
  readonly pgoff: number;
  /** What is mapped: the name of the inode, or empty for anonymous memory. */
  readonly name: string;
  readonly shared: boolean;
  /** Counted pages that entries map; none in a bare pfn area, private copies neither (RE-12). */
  readonly rss: number;
  /** Of those, private ones. */
  readonly anonymous: number;
  readonly locked: number;
  /** VmFlags, in the kernel's two letters. */
  readonly flags: readonly string[];
}

/** What /proc/PID/status says of an address space, in pages. */
export interface MemoryStatus {
  /** VmSize: pages of all areas. */
  readonly size: number;
  /** VmRSS: counted pages that entries map. */
  readonly rss: number;
  /** VmLck. */
  readonly locked: number;
  /** VmPin: pages charged by those who pin for long. */
  readonly pinned: number;
}

/** Every area of an address space, in order (`show_smap`). */
export function* smaps(mm: Mm): Sleepable<readonly SmapsArea[]> {
  yield* mm.lock.read();
  const shown = mm.areas.all().map(showArea);
  mm.lock.unlockRead();
  return shown;
}

/** The totals of an address space (`task_mem`). */
export function memoryStatus(mm: Mm): MemoryStatus {
  const { sched } = mm.machine;
  for (const cell of [mm.rssCell, mm.totalsCell, mm.pinnedCell])
    sched.note(ObjectKind.cell, cell, Access.read);
  return { size: mm.totalPages, rss: mm.rss, locked: mm.lockedPages, pinned: mm.pinnedPages };
}

/**
 * The frames that `pages` pages from `address` on are mapped to, as /proc/PID/pagemap shows them to root: undefined where
 * nothing is mapped, and in a bare pfn area (PF-09).
 */
export function* pagemap(mm: Mm, address: number, pages: number): Sleepable<readonly (Pfn | undefined)[]> {
  yield* mm.lock.read();
  const shown = Array.from({ length: pages }, (_, index) => {
    const at = address + index * mm.pageSize;
    const area = mm.areas.find(at);
    if (area === undefined || (area.flags & VM_PFNMAP) !== 0) return undefined;
    noteLook(mm, Math.floor(at * mm.perPage));
    const entry = mm.table.entryOf(Math.floor(at * mm.perPage));
    return entry === 0 ? undefined : ptePfn(entry);
  });
  mm.lock.unlockRead();
  return shown;
}

function showArea(area: Vma): SmapsArea {
  const { mm } = area;
  const { frames } = mm.machine.memory;
  let rss = 0;
  let anonymous = 0;
  // The kernel's walk leaves bare pfn areas out as a whole (`walk_page_test`).
  const end = (area.flags & VM_PFNMAP) === 0 ? area.end * mm.perPage : 0;
  for (let vpn = area.start * mm.perPage; vpn < end; ) {
    const slot = mm.table.find(vpn);
    if (slot < 0) {
      const next = mm.table.endOfEntry(vpn, mm.table.level);
      if (mm.machine.sched.interleaving) for (let at = vpn; at < Math.min(next, end); at++) noteLook(mm, at);
      vpn = next;
      continue;
    }
    noteLook(mm, vpn);
    const page = countedPage(area, mm.table.entryOf(vpn));
    if (page !== undefined) {
      noteLookAt(mm.machine, page);
      rss++;
      if (frames.hasFlags(page, PG_anon)) anonymous++;
    }
    vpn++;
  }
  return {
    start: area.start,
    end: area.end,
    pgoff: area.pgoff,
    name: area.file?.inode.name ?? "",
    shared: (area.flags & VM_SHARED) !== 0,
    rss,
    anonymous,
    locked: (area.flags & VM_LOCKED) !== 0 ? area.pages : 0,
    flags: areaFlagNames(area.flags),
  };
}
