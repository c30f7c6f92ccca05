import type { Pfn } from "@nopage/core/contract";
import {
  defineStrategy,
  EINVAL,
  isCopyOnWrite,
  mapPfn,
  sigbus,
  VM_DONTEXPAND,
  VM_IO,
  VM_PFNMAP,
} from "@nopage/core/contract";

/** Maps one frame a fault, as pfn-nopage does; but who comes while the device is busy gets SIGBUS instead of waiting. */
export const impatientNopage = defineStrategy({
  name: "impatient-nopage",
  supports: {
    populate: "lazy",
    backing: ["pfn-run"],
    whileRevoked: "sigbus",
    mremapGrow: false,
    holes: false,
    largeLeaves: false,
    countsPages: [],
    privateWritable: [],
  },
  create: (kernel) => ({
    mmap(area, backing) {
      if (backing.memory.kind !== "pfn-run" || isCopyOnWrite(area.flags)) return -EINVAL;
      area.flags |= VM_PFNMAP | VM_IO | VM_DONTEXPAND;
      return {
        name: "impatient-nopage",
        nopagePfn({ gate, pgoff }) {
          const first = kernel.mappings.firstFrame(backing);
          const isThere = gate === "open" && first !== undefined && pgoff < backing.pages;
          return isThere ? mapPfn((first + pgoff) as Pfn) : sigbus;
        },
      };
    },
  }),
});
