import { VM_ACCESS_FLAGS, VM_MIXEDMAP, VM_PFNMAP, VM_SHARED, VM_WRITE } from "../contract/area-flags.ts";
import type { Page } from "../contract/units.ts";
import { PG_anon, PG_anon_exclusive } from "../memory/page-flags.ts";
import type { Mm } from "../mm/mm.ts";
import type { Vma } from "../mm/vma.ts";
import { countedPage } from "../mm/zap.ts";
import { PTE_PRESENT, PTE_READ, PTE_SPECIAL, PTE_WRITE, type Pte, ptePfn } from "../mmu/pte.ts";
import { visitEntries } from "../mmu/table-walk.ts";
import type { Say } from "./check-areas.ts";

/**
 * Whether every entry of one mm lies in an area that allows it, and rss is what the entries count. Adds the counted
 * mappings of each page to `mappings`.
 */
export function checkEntries(mm: Mm, mappings: Map<Page, number>, say: Say): void {
  const { machine, table } = mm;
  const { frames } = machine.memory;
  let file = 0;
  let anon = 0;
  for (const { vpn, level, entry } of visitEntries(table)) {
    const pages = table.pagesAt(level);
    const area = mm.areas.find(vpn * mm.pageSize);
    const place = `the entry of page ${vpn} of ${mm.name}`;
    if (area === undefined) {
      say(`${place} maps frame ${ptePfn(entry)} but lies in no area`);
      continue;
    }
    if (area.end < (vpn + pages) * mm.pageSize) say(`${place} reaches past the end of ${area}`);
    if (level > 0 && (!machine.geometry.leafLevels.includes(level) || ptePfn(entry) % pages !== 0)) {
      say(`${place} is a large leaf that ${machine.geometry.name} cannot have`);
    }
    const wrong = whyWrong(area, entry);
    if (wrong !== undefined) say(`${place} ${wrong} in ${area}`);
    const page = countedPage(area, entry);
    if (page === undefined) continue;
    mappings.set(page, (mappings.get(page) ?? 0) + 1);
    if (frames.hasFlags(page, PG_anon)) anon++;
    else file++;
  }
  if (machine.reserved.rules !== "6.1") return;
  if (mm.rssFile !== file)
    say(`${mm.name} maps ${file} counted pages of objects but has ${mm.rssFile} in rss`);
  if (mm.rssAnon !== anon) say(`${mm.name} maps ${anon} private pages but has ${mm.rssAnon} in rss`);
}

/** What an entry has that its area forbids, or the other way round. */
function whyWrong(area: Vma, entry: Pte): string | undefined {
  const { machine } = area.mm;
  const { frames } = machine.memory;
  if ((entry & PTE_PRESENT) === 0) return "is filled but not present";
  const isAccessible = (area.flags & VM_ACCESS_FLAGS) !== 0;
  if (isAccessible !== ((entry & PTE_READ) !== 0)) {
    return isAccessible ? "cannot be read" : "can be read, though nothing is allowed,";
  }
  if ((entry & PTE_WRITE) !== 0 && (area.flags & VM_WRITE) === 0) return "can be written, which is forbidden";
  const pfn = ptePfn(entry);
  if ((entry & PTE_SPECIAL) !== 0) {
    if (pfn === machine.zeroPage && (entry & PTE_WRITE) !== 0)
      return "lets stores through to the page of zeros";
    if (pfn === machine.zeroPage && area.isAnonymous) return undefined;
    return (area.flags & (VM_PFNMAP | VM_MIXEDMAP)) === 0 ? `maps bare frame ${pfn}` : undefined;
  }
  if (!frames.hasPage(pfn)) return `counts frame ${pfn}, which has no struct page,`;
  if (!frames.isAllocated(pfn)) return `maps ${frames.describe(pfn)}, which is free,`;
  const isPrivate = frames.hasFlags(pfn, PG_anon);
  if (isPrivate && (area.flags & VM_SHARED) !== 0) return `maps private ${frames.describe(pfn)}`;
  if (!isPrivate && (area.flags & VM_PFNMAP) !== 0) return `counts ${frames.describe(pfn)}`;
  const isOwn = frames.hasFlags(pfn, PG_anon_exclusive);
  if ((entry & PTE_WRITE) !== 0 && (area.flags & VM_SHARED) === 0 && !isOwn) {
    return `lets stores through to ${frames.describe(pfn)}, which others share,`;
  }
  return undefined;
}
