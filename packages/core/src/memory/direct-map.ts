import type { KernelAddress, Page, Pfn } from "../contract/units.ts";
import type { Geometry } from "../mmu/geometry.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import type { Frames } from "./frames.ts";
import { hexAddress, KernelFault } from "./kernel-fault.ts";

/**
 * The kernel's linear mapping of all RAM (`PAGE_OFFSET`; arch/x86/include/asm/page.h): the physical address `p` lies
 * at `geometry.directMapStart + p`. It covers RAM without struct page too, so that the kernel can read and write
 * it; there is no way from there to a page.
 */
export class DirectMap {
  /** First address, inclusive. */
  readonly start: KernelAddress;
  /** End, exclusive. */
  readonly end: KernelAddress;
  readonly #frames: Frames;
  readonly #violations: ViolationSink;
  readonly #pageSize: number;
  readonly #pageShift: number;

  /** @throws RangeError when RAM would reach into the vmalloc area. */
  constructor(geometry: Geometry, frames: Frames, violations: ViolationSink) {
    this.start = geometry.directMapStart;
    this.end = (this.start + frames.total * geometry.pageSize) as KernelAddress;
    this.#frames = frames;
    this.#violations = violations;
    this.#pageSize = geometry.pageSize;
    this.#pageShift = geometry.pageShift;
    if (this.end > geometry.vmallocStart) {
      const most = (geometry.vmallocStart - this.start) / geometry.pageSize;
      throw new RangeError(
        `${frames.total} frames do not fit the direct map of ${geometry.name}: ${most} at most`,
      );
    }
  }

  /** Whether the address lies in the mapping (`virt_addr_valid`, but for RAM without struct page, where it says no). */
  contains(address: KernelAddress): boolean {
    return address >= this.start && address < this.end;
  }

  /** The address of the first byte of a frame (`pfn_to_kaddr`, `page_address`). */
  addressOf(pfn: Pfn): KernelAddress {
    return (this.start + pfn * this.#pageSize) as KernelAddress;
  }

  /** The frame under an address of the mapping (`__pa` and a shift); undefined for any other address. */
  pfnOf(address: KernelAddress): Pfn | undefined {
    return this.contains(address) ? (((address - this.start) >>> this.#pageShift) as Pfn) : undefined;
  }

  /**
   * The page under an address (`virt_to_page`).
   *
   * On an address of the vmalloc area, in RAM without struct page, or of nothing at all, Linux computes a pointer to
   * some other memory. Here that is a violation.
   *
   * @throws KernelFault for every address that is not in the direct map of a frame with struct page.
   */
  virtToPage(address: KernelAddress): Page {
    const pfn = this.pfnOf(address);
    if (pfn !== undefined && this.#frames.hasPage(pfn)) return pfn;
    const reason =
      pfn === undefined ? "it is not in the direct map" : `${this.#frames.describe(pfn)} has no struct page`;
    this.#violations.report("page-kind", `virt_to_page(${hexAddress(address)}): ${reason}`, {
      object: `address ${hexAddress(address)}`,
    });
    throw new KernelFault(address, `virt_to_page has no answer, ${reason}`);
  }
}
