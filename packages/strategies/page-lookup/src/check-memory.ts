import {
  type Backing,
  EINVAL,
  type Kernel,
  type KernelAddress,
  type LinearBuffer,
  type VmallocArea,
} from "@nopage/core/contract";
import { findPage } from "./find-page.ts";

/**
 * Whether a backing may be shown page by page: 0, or -EINVAL.
 *
 * Whole pages are shown, so a buffer has to begin with a page and to reach to the end of its last one: nothing of a
 * neighbour may show (LK-05). What lies between the driver's last byte and the end of that page is the driver's to clear;
 * `vmalloc_user` and `kzalloc` do.
 */
export function checkMemory(kernel: Kernel, backing: Backing): number {
  const { memory } = backing;
  if (memory.kind === "linear") return checkLinear(kernel, backing, memory);
  if (memory.kind === "vmalloc") return checkVmalloc(kernel, backing, memory);
  return memory.kind === "page-array" ? 0 : -EINVAL;
}

/**
 * A buffer of the direct map: every page of it can be referenced by itself, which neither the objects of a slab (LK-03)
 * nor the later pages of a block that is neither compound nor split (LK-01) can. A compound page ends the buffer; of
 * single pages nothing tells where the driver's end.
 */
function checkLinear(kernel: Kernel, backing: Backing, { address }: LinearBuffer): number {
  const { frames } = kernel.memory;
  if (!startsPage(kernel, address)) return -EINVAL;
  const first = findPage(kernel, backing.memory, 0);
  if (first === undefined) return -EINVAL;
  for (let index = 0; index < backing.pages; index++) {
    const page = findPage(kernel, backing.memory, index);
    if (page === undefined || !kernel.pages.mayBeMapped(page)) return -EINVAL;
    const isSameBlock = frames.headOf(page) === frames.headOf(first);
    if (!isSameBlock && frames.orderOf(page) + frames.orderOf(first) > 0) return -EINVAL;
  }
  return 0;
}

/** A buffer that `vmalloc` gave, no longer than it is; and not somebody else's frames that are only mapped there. */
function checkVmalloc(kernel: Kernel, { pages }: Backing, { address }: VmallocArea): number {
  if (!startsPage(kernel, address)) return -EINVAL;
  const area = kernel.memory.vmalloc.findVmArea(address);
  if (area === undefined || area.kind === "mapping") return -EINVAL;
  return address + pages * kernel.geometry.pageSize > area.end ? -EINVAL : 0;
}

function startsPage({ geometry }: Kernel, address: KernelAddress): boolean {
  return address % geometry.pageSize === 0;
}
