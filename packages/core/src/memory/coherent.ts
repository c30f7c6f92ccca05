import type { BusAddress, KernelAddress, Page, Pfn } from "../contract/units.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import type { AllocationGate } from "./allocation-gate.ts";
import type { BuddyAllocator } from "./buddy.ts";
import type { DirectMap } from "./direct-map.ts";
import type { Frames } from "./frames.ts";
import type { FreePages } from "./free-pages.ts";
import { hexAddress } from "./kernel-fault.ts";
import { owners } from "./owners.ts";
import type { Vmalloc } from "./vmalloc.ts";

/** Memory that CPU and device see alike; frames `[pfn, pfn + pages)`. */
export interface CoherentBuffer {
  /** Where the kernel reads and writes it. */
  readonly cpuAddress: KernelAddress;
  /** Where the device does (`dma_handle`). */
  readonly busAddress: BusAddress;
  /** Bytes that were asked for; the rest of the last page is zero. */
  readonly bytes: number;
  /** First frame, for `dma_mmap_coherent`: the only right way to show it to user space (LK-07). */
  readonly pfn: Pfn;
  /** Frames taken, a power of two. */
  readonly pages: number;
  /** Whether the frames have a struct page; a driver that cares is wrong. */
  readonly hasPage: boolean;
}

/** Takes and returns the frames of coherent memory; one for each kind of machine. */
interface CoherentSource {
  allocate(order: number): Pfn | undefined;
  /** Undefined when the frames cannot be given addresses. */
  cpuAddressOf(pfn: Pfn, pages: number): KernelAddress | undefined;
  free(buffer: CoherentBuffer, order: number): void;
}

/** Coherent memory for devices (`dma_alloc_coherent`, kernel/dma/direct.c and kernel/dma/coherent.c, 6.1). */
export class CoherentMemory {
  /** Told when the list of buffers is about to be changed or looked at. */
  onUse: ((use: "change" | "look") => void) | undefined = undefined;
  readonly #frames: Frames;
  readonly #source: CoherentSource;
  readonly #gate: AllocationGate;
  readonly #violations: ViolationSink;
  readonly #buffers = new Map<KernelAddress, CoherentBuffer>();

  constructor(frames: Frames, source: CoherentSource, gate: AllocationGate, violations: ViolationSink) {
    this.#frames = frames;
    this.#source = source;
    this.#gate = gate;
    this.#violations = violations;
  }

  /**
   * `bytes` bytes of zeros, in neighbouring frames aligned to their size rounded up to a power of two. Undefined when
   * memory has run out, and for 0 bytes.
   */
  dmaAllocCoherent(bytes: number): CoherentBuffer | undefined {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) throw new RangeError(`${bytes} is not a size in bytes`);
    if (bytes === 0 || !this.#gate.mayAllocate("dma_alloc_coherent")) return undefined;
    const { pageSize } = this.#frames;
    const order = Math.ceil(Math.log2(Math.ceil(bytes / pageSize)));
    const pages = 2 ** order;
    const pfn = this.#source.allocate(order);
    if (pfn === undefined) return undefined;
    for (let at = 0; at < pages; at++) this.#frames.clear((pfn + at) as Pfn);
    const busAddress = (pfn * pageSize) as BusAddress;
    const hasPage = this.#frames.hasPage(pfn);
    const cpuAddress = this.#source.cpuAddressOf(pfn, pages);
    const buffer = { cpuAddress: 0 as KernelAddress, busAddress, bytes, pfn, pages, hasPage };
    if (cpuAddress === undefined) {
      this.#source.free(buffer, order);
      return undefined;
    }
    buffer.cpuAddress = cpuAddress;
    this.onUse?.("change");
    this.#buffers.set(cpuAddress, buffer);
    return buffer;
  }

  /** Frees a buffer (`dma_free_coherent`); one that is not allocated is reported, and nothing changes. */
  dmaFreeCoherent(buffer: CoherentBuffer): void {
    const { cpuAddress } = buffer;
    this.onUse?.("change");
    if (this.#buffers.get(cpuAddress) !== buffer) {
      this.#violations.report("double-free", `dma_free_coherent(${hexAddress(cpuAddress)}): not allocated`, {
        object: bufferAt(cpuAddress),
      });
      return;
    }
    this.#violations.remember?.(bufferAt(cpuAddress), "frees the buffer");
    this.#buffers.delete(cpuAddress);
    this.#source.free(buffer, Math.log2(buffer.pages));
  }

  /** The buffer that begins at an address of the kernel. */
  find(cpuAddress: KernelAddress): CoherentBuffer | undefined {
    this.onUse?.("look");
    return this.#buffers.get(cpuAddress);
  }

  /** Forgets every buffer, when the frames are reset as well. */
  reset(): void {
    this.#buffers.clear();
  }
}

/** A buffer as reports name it. */
function bufferAt(address: KernelAddress): string {
  return `coherent buffer at ${hexAddress(address)}`;
}

/**
 * Coherent memory in ordinary RAM, seen through the direct map (`dma_direct_alloc`). The block is bare: the frames have
 * struct pages, but only the first has a count, so mapping them as pages is a bug.
 */
export function coherentInDirectMap(pages: FreePages, directMap: DirectMap): CoherentSource {
  return {
    allocate: (order) => pages.getFreePages(order, "bare", owners.coherent),
    cpuAddressOf: (pfn) => directMap.addressOf(pfn),
    free: (buffer, order) => {
      pages.freePages(buffer.pfn as Page, order);
    },
  };
}

/**
 * Coherent memory in RAM that has no struct page, seen through a mapping of its own (`dma_declare_coherent_memory`):
 * the machines that the mail of 2004 argues about.
 */
export function coherentWithoutPages(
  frames: Frames,
  buddy: BuddyAllocator,
  vmalloc: Vmalloc,
): CoherentSource {
  return {
    allocate(order) {
      const pfn = buddy.allocate(order);
      if (pfn < 0) return undefined;
      for (let at = 0; at < 1 << order; at++) frames.handOut((pfn + at) as Pfn, owners.coherent, 0);
      return pfn as Pfn;
    },
    cpuAddressOf: (pfn, pages) => vmalloc.map(pfn, pages),
    free(buffer, order) {
      if (buffer.cpuAddress !== 0) vmalloc.unmap(buffer.cpuAddress);
      for (let at = 0; at < buffer.pages; at++) frames.takeBack((buffer.pfn + at) as Pfn);
      buddy.free(buffer.pfn, order);
    },
  };
}
