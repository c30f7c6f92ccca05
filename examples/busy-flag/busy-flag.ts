import type { Pfn } from "@nopage/core/contract";
import {
  defineStrategy,
  EINVAL,
  isCopyOnWrite,
  sigbus,
  VM_DONTEXPAND,
  VM_IO,
  VM_PFNMAP,
} from "@nopage/core/contract";

/**
 * The obvious handler for "block while DMA runs": a flag says that the device is busy, a fault waits until it is not, and then
 * maps the page. It works whenever somebody tries it, and has a race: `nopage explore` shows it.
 */
export const busyFlag = defineStrategy({
  name: "busy-flag",
  supports: {
    populate: "lazy",
    backing: ["pfn-run"],
    whileRevoked: "wait",
    mremapGrow: false,
    holes: false,
    largeLeaves: false,
    countsPages: [],
    privateWritable: [],
  },
  create(kernel) {
    const busy = kernel.sync.shared("busy", false);
    const idle = kernel.sync.waitQueue("the device to be idle");
    return {
      mmap(area, backing) {
        if (backing.memory.kind !== "pfn-run" || isCopyOnWrite(area.flags)) return -EINVAL;
        area.flags |= VM_PFNMAP | VM_IO | VM_DONTEXPAND;
        return {
          name: "busy-flag",
          *nopage({ area, address, pgoff }) {
            yield* idle.waitUntil(function* () {
              return !(yield* busy.get());
            }, "killable");
            const first = kernel.mappings.firstFrame(backing);
            if (first === undefined || pgoff >= backing.pages) return sigbus;
            const outcome = yield* kernel.mappings.insertPfn(area, address, (first + pgoff) as Pfn);
            return outcome;
          },
        };
      },
      *revoke(backing) {
        yield* busy.set(true);
        yield* kernel.mappings.unmapMappingRange(backing.mapping, 0, 0, "shared-only");
      },
      *restore() {
        yield* busy.set(false);
        yield* idle.wakeAll();
      },
    };
  },
});
