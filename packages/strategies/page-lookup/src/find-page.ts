import type { BackingMemory, Kernel, KernelAddress, Page } from "@nopage/core/contract";

/**
 * The page behind object page `index`, without a reference; undefined for a hole and for what is not mapped any more.
 *
 * - `linear`: the pages of the direct map are neighbours, so it is the first page plus the index (LK-01).
 * - `vmalloc`: neighbours by address are not neighbours in memory, so each page is found by a walk of `init_mm`'s
 *   page table from the pgd down to the pte, as in the mail (LK-02).
 */
export function findPage(kernel: Kernel, memory: BackingMemory, index: number): Page | undefined {
  switch (memory.kind) {
    case "page-array":
      return memory.list[index];
    case "linear": {
      const pfn = kernel.memory.directMap.pfnOf(pageAddress(kernel, memory.address, index));
      return pfn === undefined ? undefined : kernel.pages.of(pfn);
    }
    case "vmalloc":
      return kernel.memory.vmalloc.vmallocToPage(pageAddress(kernel, memory.address, index));
    default:
      return undefined;
  }
}

function pageAddress({ geometry }: Kernel, start: KernelAddress, index: number): KernelAddress {
  return (start + index * geometry.pageSize) as KernelAddress;
}
