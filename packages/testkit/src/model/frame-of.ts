import type { Backing, KernelAddress, Machine, Page, Pfn } from "@nopage/core";

/** The frame behind an object page; undefined for a hole, and for memory that has no struct page. */
export function frameOf(machine: Machine, { memory }: Backing, page: number): Page | undefined {
  const { frames, directMap, vmalloc } = machine.memory;
  if (memory.kind === "page-array") return memory.list[page];
  if (memory.kind === "pfn-run") return frames.pageOf((memory.pfn + page) as Pfn);
  const address = (memory.address + page * machine.geometry.pageSize) as KernelAddress;
  const pfn = memory.kind === "vmalloc" ? vmalloc.vmallocToPage(address) : directMap.pfnOf(address);
  return pfn === undefined ? undefined : frames.pageOf(pfn);
}
