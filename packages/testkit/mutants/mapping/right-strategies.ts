import {
  type Backing,
  defineStrategy,
  EAGAIN,
  EINVAL,
  type Fault,
  type FaultOutcome,
  isCopyOnWrite,
  type Kernel,
  type KernelAddress,
  type MayInterleave,
  mapPfn,
  type Page,
  type Pfn,
  retryWhenOpen,
  sigbus,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_IO,
  VM_PFNMAP,
} from "@nopage/core";

/** Counted pages, one at the first touch: of a list, of a linear buffer or of vmalloc. */
export const pages = defineStrategy({
  name: "pages",
  supports: {
    populate: "lazy",
    backing: ["page-array", "linear", "vmalloc"],
    whileRevoked: "wait",
    mremapGrow: true,
    holes: true,
    largeLeaves: false,
    countsPages: ["page-array", "linear", "vmalloc"],
    privateWritable: ["page-array", "linear", "vmalloc"],
  },
  create: (kernel) => ({
    mmap(_area, backing) {
      if (!mayShow(kernel, backing)) return -EINVAL;
      return { name: "pages", nopage: (fault) => handOverPage(kernel, backing, fault) };
    },
  }),
});

/** Whether it is memory of pages, each can be handed over by itself, and there are as many as is said. */
function mayShow(kernel: Kernel, { memory, pages: count }: Backing): boolean {
  const { frames, vmalloc } = kernel.memory;
  const { pageSize } = kernel.geometry;
  if (memory.kind === "vmalloc") {
    const area = vmalloc.findVmArea(memory.address);
    return area !== undefined && area.kind !== "mapping" && memory.address + count * pageSize <= area.end;
  }
  if (memory.kind !== "linear") return memory.kind === "page-array";
  if (memory.address % pageSize !== 0) return false;
  const first = bufferPage(kernel, { memory }, 0);
  return Array.from({ length: count }, (_, index) => bufferPage(kernel, { memory }, index)).every(
    (page) =>
      page !== undefined &&
      first !== undefined &&
      kernel.pages.mayBeMapped(page) &&
      (frames.headOf(page) === frames.headOf(first) || frames.orderOf(page) + frames.orderOf(first) === 0),
  );
}

/** The page at an index, without a reference; undefined where there is none. */
export function bufferPage(
  kernel: Kernel,
  { memory }: Pick<Backing, "memory">,
  index: number,
): Page | undefined {
  const at = (start: KernelAddress) => (start + index * kernel.geometry.pageSize) as KernelAddress;
  if (memory.kind === "page-array") return memory.list[index];
  if (memory.kind === "vmalloc") return kernel.memory.vmalloc.vmallocToPage(at(memory.address));
  const pfn = memory.kind === "linear" ? kernel.memory.directMap.pfnOf(at(memory.address)) : undefined;
  return pfn === undefined ? undefined : kernel.pages.of(pfn);
}

/** What a handler answers that shows pages. */
export function handOverPage(
  kernel: Kernel,
  backing: Backing,
  { gate, pgoff }: Fault,
): MayInterleave<FaultOutcome> {
  if (gate === "closed") return retryWhenOpen;
  if (gate === "gone" || pgoff >= backing.pages) return sigbus;
  const page = bufferPage(kernel, backing, pgoff);
  return page === undefined ? sigbus : kernel.pages.handOver(page);
}

/** Bare frames, one at the first touch. */
export const frames = defineStrategy({
  name: "frames",
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
      if (isCopyOnWrite(area.flags) || kernel.mappings.firstFrame(backing) === undefined) return -EINVAL;
      area.flags |= VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP;
      return {
        name: "frames",
        nopagePfn({ gate, pgoff }) {
          if (gate === "closed") return retryWhenOpen;
          const first = kernel.mappings.firstFrame(backing);
          if (gate === "gone" || pgoff >= backing.pages || first === undefined) return sigbus;
          return mapPfn((first + pgoff) as Pfn);
        },
      };
    },
  }),
});

/** Bare frames, all of them in the mmap hook, and again when the object is given back. */
export const remapped = defineStrategy({
  name: "remapped",
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
    const ops = { name: "remapped" };
    return {
      *mmap(area, backing) {
        const first = kernel.mappings.firstFrame(backing);
        if (first === undefined) return -EINVAL;
        area.privateData = isCopyOnWrite(area.flags) ? first : 0;
        const pfn = (first + area.pgoff) as Pfn;
        const run = { address: area.start, pfn, pages: area.pages, leaves: "large" } as const;
        const result = yield* kernel.mappings.remapPfnRange(area, run);
        if (result === 0) return ops;
        return result === -EINVAL ? -EINVAL : -EAGAIN;
      },
      *restore(backing) {
        yield* kernel.mappings.forEachArea(backing.mapping, function* (area) {
          const first = kernel.mappings.firstFrame(backing);
          const index = area.pgoff - (area.privateData as number);
          const count = Math.min(area.pages, backing.pages - index);
          if (area.ops?.name !== ops.name || first === undefined || count <= 0) return;
          const pfn = (first + index) as Pfn;
          yield* kernel.mappings.remapMissing(area, {
            address: area.start,
            pfn,
            pages: count,
            leaves: "large",
          });
        });
      },
    };
  },
});
