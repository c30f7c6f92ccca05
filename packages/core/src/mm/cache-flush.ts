import type { Atomic } from "../contract/execution.ts";
import type { Page, Pfn } from "../contract/units.ts";
import { ptePfn } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Mm } from "./mm.ts";

/**
 * Before entries of `[start, end)` go or change: what the data cache holds of their pages goes to memory
 * (`flush_cache_range`; `flush_cache_page` in the mail of 1997). Nothing on a machine whose cache is indexed physically.
 *
 * It comes first because some caches can only be flushed through a translation that still stands
 * (Documentation/core-api/cachetlb.rst). Until that is gone from the TLBs as well another thread can bring the page back
 * into the cache: for entries that go for good, `ShownFrames` flushes what they showed once more. After mprotect and fork
 * the page stays mapped where it was, and whoever unmaps, moves or copies it flushes it then.
 */
export function flushCacheRange(mm: Mm, start: number, end: number): void {
  const { dataCache } = mm.machine;
  if (dataCache === undefined) return;
  const { table, perPage } = mm;
  const last = end * perPage;
  for (let vpn = start * perPage; vpn < last; ) {
    if (table.find(vpn) < 0) {
      vpn = table.endOfEntry(vpn, table.level);
      continue;
    }
    const entry = table.entryOf(vpn);
    if (entry !== 0 && mm.machine.isRam(ptePfn(entry))) dataCache.flushPage(ptePfn(entry), vpn);
    vpn++;
  }
}

/**
 * Before a frame is shown at a new address, or read past the cache: what other addresses stored to it goes to memory
 * (`flush_dcache_page`; for bare pfns the "cache flushing callback" of the 2004 mail).
 */
export function flushCachedFrame({ machine }: Mm, frame: Pfn | Page): void {
  const { dataCache } = machine;
  if (dataCache !== undefined && machine.isRam(frame as number as Pfn))
    dataCache.flushFrame(frame as number as Pfn);
}

/**
 * Frames whose entries were cleared. When the TLBs have been flushed too, and before anybody else gets the frames, what
 * threads brought back into the data cache meanwhile goes to memory. Linux leaves that to the port: some purge a page's
 * colour when it is given out anew (`clear_user_page`), which would leave the kernel's own pages to late write-backs.
 */
export class ShownFrames {
  readonly #mm: Mm;
  readonly #frames: Pfn[] = [];

  constructor(mm: Mm) {
    this.#mm = mm;
  }

  /** An entry was cleared that showed so many pages. Nothing on a machine whose cache is indexed physically. */
  add(entry: number, pages: number): void {
    const { machine } = this.#mm;
    if (entry === 0 || machine.dataCache === undefined) return;
    const first = ptePfn(entry);
    for (let at = 0; at < pages; at++) {
      if (machine.isRam((first + at) as Pfn)) this.#frames.push((first + at) as Pfn);
    }
  }

  /** The TLBs have been flushed. */
  *flush(): Atomic<void> {
    const { sched } = this.#mm.machine;
    for (const frame of this.#frames) {
      if (sched.interleaving) yield sched.at(ObjectKind.frameContents, frame, Access.write);
      flushCachedFrame(this.#mm, frame);
    }
    this.#frames.length = 0;
  }
}
