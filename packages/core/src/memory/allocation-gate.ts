/**
 * Asked before every allocation, so that a failure can be injected at any of them (`fail_page_alloc`, `failslab`;
 * Documentation/fault-injection). One for each machine.
 */
export interface AllocationGate {
  /**
   * Whether this allocation may go on; when not, it fails as if memory had run out.
   *
   * `site` is the Linux function that asks:
   *
   * - `alloc_pages` for each frame or block, also when a slab or a vmalloc area wants it;
   * - `kmalloc`, `vmalloc` and `dma_alloc_coherent` once a call, before they ask for frames;
   * - `page-table` for each table, roots included;
   * - what the model has as plain objects: `vm_area_alloc` for each area, `mm_alloc` for each address space,
   *   `dup_task_struct` for the process that fork makes and for each further thread of one, `alloc_empty_file` for each
   *   open, `alloc_inode` for each inode, of a device as of a memory file, `mmu_notifier_register` and
   *   `mmu_interval_notifier_insert`, `request_irq`, `cdev_add`, `load_module`, `kthread_create`, `pci_alloc_dev` and
   *   `pci_register_driver`.
   *
   * Linux allocates nothing, and so nobody asks, to wait, to set a timer, to run an interrupt handler or to wait for an
   * RCU grace period: those records lie on the stack or inside the object that they belong to. So does the work item by
   * which the last use of an address space is given back later (`mmput_async`).
   */
  mayAllocate(site: string): boolean;
  /** Told when an answer depends on how many were asked before, if it ever does. The machine sets it. */
  onAsk?: (() => void) | undefined;
}

/** The gate of a machine that fails to allocate only when it has nothing left. */
export const openGate: AllocationGate = { mayAllocate: () => true };
