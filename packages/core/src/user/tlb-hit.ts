import type { UserAddress } from "../contract/units.ts";
import { spaceTag, type Tlb } from "../mmu/tlb.ts";

/** The TLB cannot serve the address: the caller takes the way through the kernel. */
export const MISS = -1;

/**
 * The load that needs no kernel: the 32-bit word at an address whose page a TLB has as readable RAM, or `MISS`. It
 * skips the checks for freed memory. A closure over what never changes for a thread, so that the compiler can take all
 * of it for constant.
 */
export function createHit32(
  tlb: Tlb,
  words: Int32Array,
  pageSize: number,
  space: number,
): (address: UserAddress) => number {
  const { readTag, ramOffset, slotMask, perPage } = tlb;
  const inPageMask = pageSize - 1;
  const ownTag = spaceTag(space);
  return (address) => {
    const inPage = address & inPageMask;
    const slot = (address * perPage) & slotMask;
    if (readTag[slot] !== address - (inPage & ~3) + ownTag) return MISS;
    return words[(ramOffset[slot] + inPage) >> 2] >>> 0;
  };
}
