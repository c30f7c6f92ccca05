import {
  type Area,
  type Backing,
  defineStrategy,
  EAGAIN,
  EINVAL,
  isCopyOnWrite,
  type Kernel,
  type Pfn,
  type Sleepable,
  type VmOps,
} from "@nopage/core/contract";

/**
 * Every entry is made in the mmap hook, as `simple_mmap` of the 1997 mail does with `remap_page_range`
 * (`remap_pfn_range` since 2.6). Afterwards no touch ever faults.
 *
 * What cannot be mapped now is -EAGAIN, as in the mail; what never can is -EINVAL. There is no `nopage`, so a page that
 * was taken away by a revocation is SIGBUS until the restore has brought it back.
 */
export const eagerRemap = defineStrategy({
  name: "eager-remap",
  supports: {
    populate: "eager",
    backing: ["pfn-run", "coherent"],
    whileRevoked: "sigbus",
    mremapGrow: false,
    holes: false,
    largeLeaves: true,
    countsPages: [],
    privateWritable: ["pfn-run", "coherent"],
  },
  create(kernel) {
    // Their identity tells the areas of this device from others that hang on the same inode.
    const operations: VmOps = { name: "eager-remap" };
    return {
      *mmap(area, backing): Sleepable<VmOps | number> {
        if (area.ops !== undefined) return -EINVAL;
        const first = kernel.mappings.firstFrame(backing);
        if (first === undefined) return -EINVAL;
        setNumbering(area, first);
        const request = runFrom(area, first, area.pgoff, area.pages);
        const result = yield* kernel.mappings.remapPfnRange(area, request);
        if (result === 0) return operations;
        return result === -EINVAL ? -EINVAL : -EAGAIN;
      },

      *restore(backing) {
        yield* kernel.mappings.forEachArea(backing.mapping, function* (area) {
          if (area.ops === operations) yield* restoreArea(kernel, area, backing);
        });
      },
    };
  },
});

/**
 * Fills what is missing in one area, as far as the object reaches by now. Everything is worked out anew: since the
 * revocation the area may have been split or moved, and the memory replaced. If the gate is no longer as it is here, the
 * core stops, and whoever changed it restores in their turn.
 */
function* restoreArea(kernel: Kernel, area: Area, backing: Backing): Sleepable<void> {
  const first = kernel.mappings.firstFrame(backing);
  const index = firstObjectPage(area);
  const pages = Math.min(area.pages, backing.pages - index);
  if (first === undefined || pages <= 0) return;
  yield* kernel.mappings.remapMissing(area, runFrom(area, first, index, pages));
}

/** `pages` pages of the run that begins with frame `first`, from object page `index` on, at the area's start. */
function runFrom(area: Area, first: Pfn, index: number, pages: number) {
  return { address: area.start, pfn: (first + index) as Pfn, pages, leaves: "large" } as const;
}

/**
 * Keeps what the area's pgoff counts from: object pages, or, once a private writable area is remapped, frames (RE-03).
 * Split, move and fork carry it to the areas that they make, whose pgoff they count on from this one (RV-08).
 */
function setNumbering(area: Area, first: Pfn): void {
  area.privateData = isCopyOnWrite(area.flags) ? first : 0;
}

/** The object page that the area starts with, in whichever numbering its pgoff is. */
function firstObjectPage(area: Area): number {
  return area.pgoff - (area.privateData as number);
}
