import type { Pfn } from "../contract/units.ts";
import type { Geometry } from "../mmu/geometry.ts";
import type { PageTable } from "../mmu/page-table.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import { type AllocationGate, openGate } from "./allocation-gate.ts";
import { BuddyAllocator } from "./buddy.ts";
import { CoherentMemory, coherentInDirectMap, coherentWithoutPages } from "./coherent.ts";
import { DirectMap } from "./direct-map.ts";
import { Frames } from "./frames.ts";
import { FreePages } from "./free-pages.ts";
import { IoRanges } from "./io-ranges.ts";
import { KernelMemory } from "./kernel-memory.ts";
import { Kmalloc } from "./kmalloc.ts";
import { Vmalloc } from "./vmalloc.ts";

/** Whether coherent memory has struct pages: on most machines, but not on those of the 2004 mail. */
export type CoherentOption = "with-page" | "without-page";

export interface PhysicalMemoryOptions {
  readonly geometry: Geometry;
  /** Frames with a struct page, frame 0 included. */
  readonly ramPages: number;
  /** Frames of RAM without struct page; none by default. */
  readonly pagelessPages?: number;
  /** `with-page` by default. */
  readonly coherent?: CoherentOption;
  /** The kernel's own page table (`init_mm`), empty, of the same geometry. */
  readonly kernelTable: PageTable;
  readonly violations: ViolationSink;
  /** Lets everything through by default. */
  readonly gate?: AllocationGate;
  /** The memory of a machine that is not used any more, which is taken over as far as it is of the same size. */
  readonly scrapped?: PhysicalMemory | undefined;
}

/** All memory of a machine and everyone who hands it out, built and owned in one place. */
export class PhysicalMemory {
  /** Told of the frame that another is about to be copied into. */
  onCopy: ((to: Pfn) => void) | undefined = undefined;
  readonly frames: Frames;
  readonly pages: FreePages;
  readonly directMap: DirectMap;
  readonly kmalloc: Kmalloc;
  readonly vmalloc: Vmalloc;
  readonly coherent: CoherentMemory;
  readonly io: IoRanges;
  /** Loads and stores by kernel address. */
  readonly kernel: KernelMemory;
  /** Free blocks of RAM with struct page. */
  readonly buddy: BuddyAllocator;
  /** Free blocks of RAM without. */
  readonly pagelessBuddy: BuddyAllocator | undefined;

  /** @throws RangeError when RAM is too large for the geometry, or has no frames for what the options ask. */
  constructor(options: PhysicalMemoryOptions) {
    const { geometry, ramPages, pagelessPages = 0, coherent = "with-page" } = options;
    const { kernelTable, violations, gate = openGate, scrapped } = options;
    this.frames = new Frames({
      geometry,
      count: ramPages,
      pageless: pagelessPages,
      violations,
      scrapped: scrapped?.frames,
    });
    const { frames } = this;
    this.directMap = new DirectMap(geometry, frames, violations);
    this.buddy = buddyFor(1, ramPages, scrapped?.buddy);
    this.pagelessBuddy =
      pagelessPages > 0 ? buddyFor(ramPages, frames.total, scrapped?.pagelessBuddy) : undefined;
    this.pages = new FreePages(frames, this.buddy, gate, violations);
    this.kmalloc = new Kmalloc(frames, this.pages, this.directMap, gate, violations);
    this.vmalloc = new Vmalloc(frames, this.pages, kernelTable, gate, violations);
    this.kernel = new KernelMemory(frames, this.directMap, this.vmalloc, violations);
    this.io = new IoRanges(geometry, frames.total, violations);
    if (coherent === "without-page" && this.pagelessBuddy === undefined) {
      throw new RangeError("coherent memory without struct page needs pagelessPages of 1 or more");
    }
    const source =
      coherent === "without-page" && this.pagelessBuddy !== undefined
        ? coherentWithoutPages(frames, this.pagelessBuddy, this.vmalloc)
        : coherentInDirectMap(this.pages, this.directMap);
    this.coherent = new CoherentMemory(frames, source, gate, violations);
  }

  /** Frames free, of both kinds: the number that must be the same before and after a run. */
  get freeFrames(): number {
    return this.buddy.freeFrames + (this.pagelessBuddy?.freeFrames ?? 0);
  }

  /**
   * Copies a whole frame of any kind into a frame of RAM (`__wp_page_copy_user`): device memory is loaded 4 bytes at a
   * time, lowest first, and where nothing answers every byte is 0xff, as on a PCI bus.
   */
  copyFrame(to: Pfn, from: Pfn): void {
    const { frames, io } = this;
    this.onCopy?.(to);
    if (frames.isRam(from)) {
      frames.copy(to, from);
      return;
    }
    const { pageSize } = frames;
    frames.markWritten(to, 0, pageSize);
    const range = io.find(from);
    if (range === undefined) {
      frames.bytes.fill(0xff, to * pageSize, (to + 1) * pageSize);
      return;
    }
    const start = (from - range.startPfn) * pageSize;
    for (let at = 0; at < pageSize; at += 4) {
      frames.view.setUint32(to * pageSize + at, range.device.read(start + at, 4), true);
    }
  }

  /** Back to how it was built, in time that depends on what was in use. Windows of devices are given up too. */
  reset(): void {
    this.vmalloc.reset();
    this.kmalloc.reset();
    this.coherent.reset();
    this.io.reset();
    this.buddy.reset();
    this.pagelessBuddy?.reset();
    this.frames.reset();
  }
}

/** An allocator for `[start, end)`: the scrapped one as it was at first, if it served the same frames. */
function buddyFor(start: number, end: number, scrapped: BuddyAllocator | undefined): BuddyAllocator {
  if (scrapped === undefined || !scrapped.serves(start, end)) return new BuddyAllocator(start, end);
  scrapped.reset();
  scrapped.onChange = undefined;
  return scrapped;
}
