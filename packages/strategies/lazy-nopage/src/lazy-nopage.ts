import {
  type Backing,
  defineStrategy,
  EINVAL,
  type Fault,
  type FaultOutcome,
  isCopyOnWrite,
  type Kernel,
  type MayInterleave,
  mapPfn,
  type Pfn,
  retryWhenOpen,
  sigbus,
  VM_IO,
  VM_MIXEDMAP,
} from "@nopage/core/contract";

/**
 * One entry at a time, at the first touch of its page: `simple_nopage` of the 1997 mail for I/O memory and
 * `scullp_vma_nopage` for pages.
 *
 * A thread that touches the device while the gate is closed waits and tries again, as the 1998 mail wished for. The
 * hook itself takes no lock: the core looks at the gate once more before it writes the entry.
 */
export const lazyNopage = defineStrategy({
  name: "lazy-nopage",
  supports: {
    populate: "lazy",
    backing: ["pfn-run", "page-array"],
    whileRevoked: "wait",
    mremapGrow: true,
    holes: true,
    largeLeaves: false,
    countsPages: ["page-array"],
    privateWritable: ["page-array"],
  },
  create: (kernel) => ({
    mmap(area, backing) {
      const { memory } = backing;
      if (memory.kind === "pfn-run") {
        // A bare pfn can have no private copy, and VM_MIXEDMAP shows none that has a struct page (PF-01).
        if (isCopyOnWrite(area.flags)) return -EINVAL;
        if (hasPages(kernel, memory.pfn + area.pgoff, area.pages)) return -EINVAL;
        // Not VM_PFNMAP: mremap would not grow it.
        area.flags |= VM_IO | VM_MIXEDMAP;
      } else if (memory.kind !== "page-array") {
        return -EINVAL;
      }
      return {
        name: "lazy-nopage",
        nopage: (fault) => nopage(kernel, backing, memory.kind, fault),
      };
    },
  }),
});

/**
 * Decides by the fault's pgoff, which is right after any split or move (LC-10), and within the object's bounds of
 * now, since mremap may have grown the mapping past them (LC-15). An area goes on showing the kind of memory that it
 * was made for, because its flags allow no other.
 */
function nopage(
  kernel: Kernel,
  backing: Backing,
  kind: Backing["memory"]["kind"],
  fault: Fault,
): MayInterleave<FaultOutcome> {
  if (fault.gate !== "open") return fault.gate === "closed" ? retryWhenOpen : sigbus;
  const { memory, pages } = backing;
  const { pgoff } = fault;
  if (pgoff >= pages || memory.kind !== kind) return sigbus;
  if (memory.kind === "pfn-run") return mapPfn((memory.pfn + pgoff) as Pfn);
  const page = memory.kind === "page-array" ? memory.list[pgoff] : undefined;
  return page === undefined ? sigbus : kernel.pages.handOver(page);
}

/** Whether a run of frames begins or ends in RAM with struct pages; it cannot do so in between only. */
function hasPages({ pages }: Kernel, pfn: number, count: number): boolean {
  return pages.of(pfn as Pfn) !== undefined || pages.of((pfn + count - 1) as Pfn) !== undefined;
}
