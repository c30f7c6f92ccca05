import {
  type Backing,
  defineStrategy,
  type Fault,
  type FaultOutcome,
  type Kernel,
  type MayInterleave,
  retryWhenOpen,
  sigbus,
} from "@nopage/core/contract";
import { checkMemory } from "./check-memory.ts";
import { findPage } from "./find-page.ts";

/**
 * Shows a buffer of the kernel, from `kmalloc`, `getFreePages` or `vmalloc`, or pages one by one: at each touch the
 * page is looked up and handed over with one reference more, as the 1997 mail does for both kinds of buffer.
 *
 * The references keep mapped pages alive after the driver has freed its buffer; what was not mapped by then is SIGBUS.
 * Coherent memory is not for it: that may have no page, and is reached through the DMA layer alone (LK-07).
 */
export const pageLookup = defineStrategy({
  name: "page-lookup",
  supports: {
    populate: "lazy",
    backing: ["linear", "vmalloc", "page-array"],
    whileRevoked: "wait",
    mremapGrow: true,
    holes: true,
    largeLeaves: false,
    countsPages: ["linear", "vmalloc", "page-array"],
    privateWritable: ["linear", "vmalloc", "page-array"],
  },
  create: (kernel) => ({
    mmap(_area, backing) {
      const refusal = checkMemory(kernel, backing);
      if (refusal !== 0) return refusal;
      return { name: "page-lookup", nopage: (fault) => nopage(kernel, backing, fault) };
    },
  }),
});

/**
 * Looks the page up by the fault's pgoff, which is right after any split or move (LC-10), and within the object's
 * bounds of now, since mremap may have grown the mapping past them (LC-15).
 */
function nopage(kernel: Kernel, backing: Backing, fault: Fault): MayInterleave<FaultOutcome> {
  if (fault.gate === "closed") return retryWhenOpen;
  if (fault.gate === "gone" || fault.pgoff >= backing.pages) return sigbus;
  const page = findPage(kernel, backing.memory, fault.pgoff);
  return page === undefined ? sigbus : kernel.pages.handOver(page);
}
