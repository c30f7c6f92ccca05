import type { KernelAddress, UserAddress } from "../contract/units.ts";

/**
 * The shape of an architecture's page tables and of its address space.
 *
 * Levels count from the leaf: level 0 holds the entries of single pages. A virtual page number is cut into one
 * index a level, `bitsPerLevel[0]` bits for the leaf. Sources: arch/x86/include/asm/pgtable_64_types.h and
 * pgtable-2level_types.h, arch/alpha/include/asm/pgtable.h, arch/arm64/include/asm/pgtable-hwdef.h.
 */
export interface Geometry {
  readonly name: GeometryName;
  /** log2 of the page size in bytes. */
  readonly pageShift: number;
  /** Page size in bytes. */
  readonly pageSize: number;
  /** Index bits of each level, leaf first. */
  readonly bitsPerLevel: readonly number[];
  /** What Linux calls the table at each level, leaf first. */
  readonly levelNames: readonly string[];
  /** The levels whose entries may map memory directly, ascending; level 0 always may. */
  readonly leafLevels: readonly number[];
  /** End of the user half, exclusive (`TASK_SIZE`). */
  readonly userEnd: UserAddress;
  /** Where the direct map of RAM begins (`PAGE_OFFSET`); it lies above every user address. */
  readonly directMapStart: KernelAddress;
  /** Where the vmalloc area begins (`VMALLOC_START`). */
  readonly vmallocStart: KernelAddress;
  /** End of the vmalloc area, exclusive. */
  readonly vmallocEnd: KernelAddress;
  /** Width of a physical address in bits: frame numbers are below 2^(physicalBits - pageShift). */
  readonly physicalBits: number;
  /** Whether data caches are indexed virtually, so that two mappings of a frame may disagree until flushed. */
  readonly virtuallyIndexedCache: boolean;
}

export type GeometryName = "x86-64" | "i386" | "alpha" | "arm64-64k";

/** Four levels of 512 entries, 4 KiB pages, leaves of 2 MiB and 1 GiB. */
export const x86_64: Geometry = {
  name: "x86-64",
  pageShift: 12,
  pageSize: 4096,
  bitsPerLevel: [9, 9, 9, 9],
  levelNames: ["pte", "pmd", "pud", "pgd"],
  leafLevels: [0, 1, 2],
  userEnd: (2 ** 47 - 4096) as UserAddress,
  directMapStart: (2 ** 47) as KernelAddress,
  vmallocStart: (2 ** 47 + 2 ** 46) as KernelAddress,
  vmallocEnd: (2 ** 48) as KernelAddress,
  physicalBits: 52,
  virtuallyIndexedCache: false,
};

/** Two levels of 1,024 entries, 4 KiB pages, leaves of 4 MiB (PSE); 3 GiB for the user, 1 GiB for the kernel. */
export const i386: Geometry = {
  name: "i386",
  pageShift: 12,
  pageSize: 4096,
  bitsPerLevel: [10, 10],
  levelNames: ["pte", "pgd"],
  leafLevels: [0, 1],
  userEnd: 0xc0000000 as UserAddress,
  directMapStart: 0xc0000000 as KernelAddress,
  vmallocStart: 0xf0000000 as KernelAddress,
  vmallocEnd: 0xff000000 as KernelAddress,
  physicalBits: 32,
  virtuallyIndexedCache: false,
};

/** Three levels of 1,024 entries, 8 KiB pages, no large leaves. */
export const alpha: Geometry = {
  name: "alpha",
  pageShift: 13,
  pageSize: 8192,
  bitsPerLevel: [10, 10, 10],
  levelNames: ["pte", "pmd", "pgd"],
  leafLevels: [0],
  userEnd: (2 ** 42) as UserAddress,
  directMapStart: (2 ** 42) as KernelAddress,
  vmallocStart: (2 ** 42 + 2 ** 41) as KernelAddress,
  vmallocEnd: (2 ** 43) as KernelAddress,
  physicalBits: 44,
  virtuallyIndexedCache: false,
};

/** Three levels, 64 KiB pages (granule 64K, 48-bit addresses), leaves of 512 MiB. */
export const arm64_64k: Geometry = {
  name: "arm64-64k",
  pageShift: 16,
  pageSize: 65536,
  bitsPerLevel: [13, 13, 6],
  levelNames: ["pte", "pmd", "pgd"],
  leafLevels: [0, 1],
  userEnd: (2 ** 47) as UserAddress,
  directMapStart: (2 ** 47) as KernelAddress,
  vmallocStart: (2 ** 47 + 2 ** 46) as KernelAddress,
  vmallocEnd: (2 ** 48) as KernelAddress,
  physicalBits: 48,
  virtuallyIndexedCache: false,
};

/** Every geometry by name, in the order in which lists show them. */
export const geometries: Readonly<Record<GeometryName, Geometry>> = {
  "x86-64": x86_64,
  i386,
  alpha,
  "arm64-64k": arm64_64k,
};

/** Pages that one entry of `level` maps: 1 at level 0, 512 for a pmd of x86-64. */
export function pagesPerEntry({ bitsPerLevel }: Geometry, level: number): number {
  let pages = 1;
  // A power by ** costs more than the rest, and areas are placed and machines built by this.
  for (let below = 0; below < level; below++) pages *= 1 << (bitsPerLevel[below] as number);
  return pages;
}

/** Frame numbers lie below this. Two shifts, as ** costs more than all else that is done with it and a shift alone does not reach. */
export function physicalPages({ physicalBits, pageShift }: Geometry): number {
  const bits = physicalBits - pageShift;
  return (1 << (bits >> 1)) * (1 << (bits - (bits >> 1)));
}
