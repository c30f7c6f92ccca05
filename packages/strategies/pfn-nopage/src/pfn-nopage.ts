import {
  type Backing,
  defineStrategy,
  EINVAL,
  type Fault,
  isCopyOnWrite,
  type Kernel,
  mapPfn,
  type Pfn,
  type PfnOutcome,
  retryWhenOpen,
  sigbus,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_IO,
  VM_PFNMAP,
} from "@nopage/core/contract";

/**
 * Answers a fault with a frame number and nothing else, for memory that may have no struct page: the `nopage_dma` that
 * the 2004 mail proposes, `nopfn` from 2.6.19 to 2.6.25, and `vmf_insert_pfn` today.
 *
 * Nothing is counted, whether or not the frame has a page (PF-04). The mail would have counted rss for a valid page
 * that is not reserved, which nobody would ever have taken back; 6.1 counts none. So the driver alone sees to it that the
 * memory outlives its mappings: it quiesces before it frees (RC-03).
 */
export const pfnNopage = defineStrategy({
  name: "pfn-nopage",
  supports: {
    populate: "lazy",
    backing: ["pfn-run", "coherent"],
    whileRevoked: "wait",
    mremapGrow: false,
    holes: false,
    largeLeaves: false,
    countsPages: [],
    privateWritable: [],
  },
  create: (kernel) => ({
    mmap(area, backing) {
      if (isCopyOnWrite(area.flags)) return -EINVAL;
      if (kernel.mappings.firstFrame(backing) === undefined) return -EINVAL;
      // Here and not in the fault, which holds the mmap lock for reading only (PF-05).
      area.flags |= VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP;
      return {
        name: "pfn-nopage",
        nopagePfn: (fault) => nopagePfn(kernel, backing, fault),
      };
    },
  }),
});

/** The same frame for the same object page until the memory is replaced, which zaps first (PF-03, PF-06). */
function nopagePfn(kernel: Kernel, backing: Backing, fault: Fault): PfnOutcome {
  if (fault.gate === "closed") return retryWhenOpen;
  const { pgoff } = fault;
  if (fault.gate === "gone" || pgoff >= backing.pages) return sigbus;
  const first = kernel.mappings.firstFrame(backing);
  return first === undefined ? sigbus : mapPfn((first + pgoff) as Pfn);
}
