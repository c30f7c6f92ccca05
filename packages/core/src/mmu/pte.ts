import type { Pfn } from "../contract/units.ts";

/**
 * A page table entry as one double: `pfn * 4096 + flags`, exact because pfns stay below 2^40. Twelve flag bits sit
 * below the frame number whatever the page size; 0 is an empty entry (`pte_none`).
 */
export type Pte = number;

/** The entry is filled (`_PAGE_PRESENT` or `_PAGE_PROTNONE`). */
export const PTE_PRESENT = 0x001;
/** The user may store through it (`_PAGE_RW`). */
export const PTE_WRITE = 0x002;
/** The user may load through it; absent in an entry of a PROT_NONE area. */
export const PTE_READ = 0x004;
/** Uncached (`pgprot_noncached`). */
export const PTE_UNCACHED = 0x008;
/** Write-combining (`pgprot_writecombine`). */
export const PTE_WRITE_COMBINING = 0x010;
/** The hardware has walked to it since the bit was last cleared (`_PAGE_ACCESSED`). */
export const PTE_ACCESSED = 0x020;
/** The hardware has stored through it (`_PAGE_DIRTY`). */
export const PTE_DIRTY = 0x040;
/** A leaf above level 0: 2 MiB, 4 MiB, 512 MiB or 1 GiB (`_PAGE_PSE`). */
export const PTE_LARGE = 0x080;
/** No struct page is to be touched through this entry (`_PAGE_SPECIAL`): it is counted nowhere. */
export const PTE_SPECIAL = 0x200;

/** One more than the largest flag: the factor that lifts a pfn above the flags. */
export const PTE_PFN_UNIT = 4096;

const FLAGS = PTE_PFN_UNIT - 1;
const PER_UNIT = 1 / PTE_PFN_UNIT;

/** Builds an entry (`pfn_pte`). */
export function makePte(pfn: number, flags: number): Pte {
  return pfn * PTE_PFN_UNIT + flags;
}

/** The frame that an entry names (`pte_pfn`). */
export function ptePfn(pte: Pte): Pfn {
  return Math.floor(pte * PER_UNIT) as Pfn;
}

/** The flag bits of an entry (`pte_flags`). */
export function pteFlags(pte: Pte): number {
  return pte & FLAGS;
}

/** The entry with some flags set and others cleared; the frame stays. */
export function changeFlags(pte: Pte, clear: number, set: number): Pte {
  const flags = pte & FLAGS;
  return pte - flags + ((flags & ~clear) | set);
}
