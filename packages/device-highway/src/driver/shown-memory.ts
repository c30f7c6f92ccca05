import type { IoRange } from "@nopage/core";
import { owners } from "@nopage/core";
import type { Atomic, BackingKind, BackingMemory, CacheMode, Kernel, Page } from "@nopage/core/contract";
import { INTERFACE_BYTES, REGION_BYTES } from "../card/measurement-registers.ts";

/**
 * What mmap shows: the measurement region itself, or a mirror of it in memory. Strategies that cannot show I/O memory
 * show a mirror, so that the same program runs on all of them and reads the same words. A mirror is as old as its last
 * refresh, which the driver does while the mapping is revoked; a store to it stays there until the next one.
 */
export interface ShownMemory {
  readonly memory: BackingMemory;
  readonly cache: CacheMode;
  readonly isMirror: boolean;
  /** Copies what the region shows now into the mirror. The card is the caller's, DMA is at rest. */
  refresh(): Atomic<void>;
  /** Freeing it again changes nothing. */
  free(): void;
}

/** The kinds that the driver can show, the first one that a strategy supports being the default. */
export const shownKinds: readonly BackingKind[] = ["pfn-run", "linear", "vmalloc", "page-array", "coherent"];

/** Prepares what a mapping of the given kind shows; undefined when memory has run out. */
export function showRegion(
  kernel: Kernel,
  measurements: IoRange,
  interfaces: number,
  kind: BackingKind,
): ShownMemory | undefined {
  if (kind === "pfn-run") return showRegisters(measurements);
  const buffer = allocate(kernel, kind);
  if (buffer === undefined) return undefined;
  const { memory, write, free } = buffer;
  const inUse = (interfaces + 1) * INTERFACE_BYTES;
  const whole = new Uint8Array(REGION_BYTES);
  let next = whole;
  let isFree = false;
  return {
    memory,
    cache: "cached",
    isMirror: true,
    free() {
      if (!isFree) free();
      isFree = true;
    },
    *refresh() {
      yield* kernel.mmio.readBlock(measurements, 0, next);
      write(next);
      // Where no interface is, nothing ever changes.
      next = whole.subarray(0, inUse);
    },
  };
}

function showRegisters({ startPfn }: IoRange): ShownMemory {
  return {
    memory: { kind: "pfn-run", pfn: startPfn },
    cache: "uncached",
    isMirror: false,
    *refresh() {},
    free() {},
  };
}

interface Mirror {
  readonly memory: BackingMemory;
  /** Stores bytes from the start on. */
  readonly write: (bytes: Uint8Array) => void;
  readonly free: () => void;
}

function allocate(kernel: Kernel, kind: Exclude<BackingKind, "pfn-run">): Mirror | undefined {
  switch (kind) {
    case "linear":
      return allocateLinear(kernel);
    case "vmalloc":
      return allocateVmalloc(kernel);
    case "page-array":
      return allocatePages(kernel);
    case "coherent":
      return allocateCoherent(kernel);
  }
}

/** A compound page (`__get_free_pages` with `__GFP_COMP`): pages that are neighbours and may be mapped one by one. */
function allocateLinear({ memory, geometry }: Kernel): Mirror | undefined {
  const order = Math.log2(REGION_BYTES / geometry.pageSize);
  const first = memory.pages.getFreePages(order, "compound", owners.driver);
  if (first === undefined) return undefined;
  const address = memory.directMap.addressOf(first);
  memory.kernel.fill(address, 0, REGION_BYTES);
  return {
    memory: { kind: "linear", address },
    write: (bytes) => memory.kernel.write(address, bytes),
    free: () => memory.pages.freePages(first, order),
  };
}

function allocateVmalloc({ memory }: Kernel): Mirror | undefined {
  const address = memory.vmalloc.vmallocUser(REGION_BYTES);
  if (address === undefined) return undefined;
  return {
    memory: { kind: "vmalloc", address },
    write: (bytes) => memory.kernel.write(address, bytes),
    free: () => memory.vmalloc.vfree(address),
  };
}

function allocatePages({ memory, geometry }: Kernel): Mirror | undefined {
  const list: Page[] = [];
  const free = () => {
    for (const page of list) memory.pages.freePages(page, 0);
  };
  while (list.length < REGION_BYTES / geometry.pageSize) {
    const page = memory.pages.allocZeroedPage(owners.driver);
    if (page === undefined) {
      free();
      return undefined;
    }
    list.push(page);
  }
  const { pageSize } = geometry;
  return {
    memory: { kind: "page-array", list },
    write: (bytes) => {
      for (let at = 0; at < bytes.length; at += pageSize) {
        const address = memory.directMap.addressOf(list[at / pageSize]);
        memory.kernel.write(address, bytes.subarray(at, at + pageSize));
      }
    },
    free,
  };
}

function allocateCoherent({ memory }: Kernel): Mirror | undefined {
  const buffer = memory.coherent.dmaAllocCoherent(REGION_BYTES);
  if (buffer === undefined) return undefined;
  const { cpuAddress: address, busAddress } = buffer;
  return {
    memory: { kind: "coherent", address, busAddress },
    write: (bytes) => memory.kernel.write(address, bytes),
    free: () => memory.coherent.dmaFreeCoherent(buffer),
  };
}
