/**
 * Asked before every allocation, so that a failure can be injected at any of them (`fail_page_alloc`, `failslab`;
 * Documentation/fault-injection). One for each machine.
 */
export interface AllocationGate {
  /**
   * Whether this allocation may go on; when not, it fails as if memory had run out.
   *
   * `site` is the Linux function that asks: `alloc_pages` for each frame or block, also when a slab or a vmalloc area
   * wants it; `kmalloc`, `vmalloc` and `dma_alloc_coherent` once a call, before they ask for frames; `vm_area_alloc` for each
   * area that a system call makes; `page-table` for each table.
   */
  mayAllocate(site: string): boolean;
}

/** The gate of a machine that fails to allocate only when it has nothing left. */
export const openGate: AllocationGate = { mayAllocate: () => true };
