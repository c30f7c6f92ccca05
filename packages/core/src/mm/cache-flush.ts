import type { Page, Pfn } from "../contract/units.ts";
import { ptePfn } from "../mmu/pte.ts";
import type { Mm } from "./mm.ts";

/**
 * Before entries of `[start, end)` go or change: what the data cache holds of their pages goes to memory
 * (`flush_cache_range`; `flush_cache_page` in the mail of 1997). Nothing on a machine whose cache is indexed physically.
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
