/**
 * The numbers of the machine, told apart by type. All are plain JavaScript numbers at run time: exact up to
 * 2^53, which holds every address and frame number of the model (virtual addresses below 2^48, pfns below 2^40).
 */

declare const unit: unique symbol;

/** A page frame number: a physical address divided by the page size. Names RAM, RAM without struct page, or I/O. */
export type Pfn = number & { readonly [unit]: "pfn" };

/**
 * The number of a frame that has a struct page (`struct page *` in Linux, with `page_to_pfn` being the identity).
 * Every `Page` is a `Pfn`; the way back goes through `pageOf`, because a pfn may name I/O or RAM without struct
 * page. The 2004 mail puts it so: going from a valid pfn to a page is always ok, the other way around is not.
 */
export type Page = number & { readonly [unit]: "pfn"; readonly page: true };

/** A virtual address in a process, in bytes, in `[0, geometry.userEnd)`. */
export type UserAddress = number & { readonly [unit]: "user-address" };

/** A virtual address of the kernel, in bytes: in the direct map, or in the vmalloc area. */
export type KernelAddress = number & { readonly [unit]: "kernel-address" };

/** An address as a device puts it on the bus, in bytes (`dma_addr_t`). Without an IOMMU it equals the physical one. */
export type BusAddress = number & { readonly [unit]: "bus-address" };

/** A point or a length of virtual time, in nanoseconds since the machine was switched on. */
export type VirtualNs = number;
