import { EBUSY, EINVAL, ENOSPC } from "../contract/errno.ts";
import type { Pfn } from "../contract/units.ts";
import { type Geometry, physicalPages } from "../mmu/geometry.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import { hexAddress } from "./kernel-fault.ts";

/** The width of a register access, in bytes. */
export type IoWidth = 1 | 2 | 4;

/**
 * What answers in a window of physical addresses: the register handlers of a device (`MemoryRegionOps` in QEMU).
 *
 * Offsets are bytes from the window's start, in `[0, bytes of the window)`, aligned to the width. Values are unsigned.
 * A read may have side effects, and happens once for each load of the program.
 */
export interface IoDevice {
  read(offset: number, width: IoWidth): number;
  write(offset: number, width: IoWidth, value: number): void;
  /** A load of 8 bytes; without it, a load is two of 4 bytes, the lower half first. */
  read64?(offset: number): bigint;
  /** A store of 8 bytes; without it, a store is two of 4 bytes, the lower half first. */
  write64?(offset: number, value: bigint): void;
}

/** A window of I/O addresses (`struct resource`). */
export interface IoRange {
  readonly name: string;
  /** First frame, inclusive. */
  readonly startPfn: Pfn;
  /** End, exclusive. */
  readonly endPfn: Pfn;
  /** What answers; after `IoRanges.silence` nothing. */
  device: IoDevice;
  /**
   * What accesses are announced on: the first frame of the device's first window. The registers of one device act on
   * each other, in whichever window they lie.
   */
  readonly registerFile: Pfn;
}

/** Where no device answers: reads give all ones and writes are lost, as on a PCI bus. */
const nobody: IoDevice = {
  read: (_offset, width) => 2 ** (8 * width) - 1,
  write: () => {},
  read64: () => 0xffff_ffff_ffff_ffffn,
  write64: () => {},
};

const GIB = 2 ** 30;
/** Where windows begin: above the most RAM that a machine may have, so that no address depends on how much it has. */
const LOW_START = 2 * GIB;
const LOW_END = 4 * GIB;
/** Windows of this size and more lie above 64 GiB, as firmware places large BARs. */
const LARGE_BYTES = GIB;
const HIGH_START = 64 * GIB;

/**
 * The physical I/O windows of a machine (`iomem_resource`, kernel/resource.c). They do not overlap each other nor RAM,
 * and cost the same whatever their size.
 */
export class IoRanges {
  /** Told when the list of windows is about to be changed or looked at. */
  onUse: ((use: "change" | "look") => void) | undefined = undefined;
  readonly #pageSize: number;
  readonly #ramEnd: number;
  readonly #limit: number;
  readonly #lowEnd: number;
  readonly #violations: ViolationSink;
  /** Ordered by start. */
  readonly #ranges: IoRange[] = [];
  #last: IoRange | undefined;

  /** `ramFrames` is where RAM ends, as a frame number. */
  constructor(geometry: Geometry, ramFrames: number, violations: ViolationSink) {
    this.#pageSize = geometry.pageSize;
    this.#ramEnd = ramFrames;
    this.#limit = physicalPages(geometry);
    this.#lowEnd = Math.min(this.#limit, LOW_END / geometry.pageSize);
    this.#violations = violations;
  }

  /**
   * Gives a device the window of `pages` pages at `startPfn`, or where `place` finds room (`request_mem_region`,
   * `pci_assign_resource`). Answers the range, or -EBUSY where RAM or another window lies, -ENOSPC when there is no
   * room, -EINVAL for a window that is empty or beyond the physical address space.
   *
   * `sibling` is an earlier window of the same device, if it has one.
   */
  claim(name: string, pages: number, device: IoDevice, startPfn?: Pfn, sibling?: IoRange): IoRange | number {
    if (!(Number.isSafeInteger(pages) && pages > 0)) return -EINVAL;
    this.onUse?.("change");
    const start = startPfn ?? this.#place(pages);
    if (start < 0) return -ENOSPC;
    if (!Number.isSafeInteger(start) || start + pages > this.#limit) return -EINVAL;
    if (start < this.#ramEnd) return -EBUSY;
    const at = this.#firstEndingAfter(start);
    const next = this.#ranges[at];
    if (next !== undefined && next.startPfn < start + pages) return -EBUSY;
    const range: IoRange = {
      name,
      startPfn: start as Pfn,
      endPfn: (start + pages) as Pfn,
      device,
      registerFile: sibling?.registerFile ?? (start as Pfn),
    };
    this.#ranges.splice(at, 0, range);
    return range;
  }

  /** Gives a window up (`release_mem_region`); one that is not claimed is reported. */
  release(range: IoRange): void {
    this.onUse?.("change");
    const at = this.#firstEndingAfter(range.startPfn);
    if (this.#ranges[at] !== range) {
      this.#violations.report(
        "double-free",
        `I/O window ${range.name} at pfn ${hexAddress(range.startPfn)} is not claimed`,
        { object: `I/O window ${range.name}` },
      );
      return;
    }
    this.#violations.remember?.(`I/O window ${range.name}`, "gives the window up");
    this.#ranges.splice(at, 1);
    this.#last = undefined;
  }

  /** The device behind a window is gone: the window stays claimed, and nobody answers there any more. */
  silence(range: IoRange): void {
    this.onUse?.("change");
    range.device = nobody;
  }

  /** The window that a frame lies in; undefined for RAM and for addresses where nothing answers. */
  find(pfn: Pfn): IoRange | undefined {
    this.onUse?.("look");
    const last = this.#last;
    if (last !== undefined && pfn >= last.startPfn && pfn < last.endPfn) return last;
    const range = this.#ranges[this.#firstEndingAfter(pfn)];
    if (range === undefined || pfn < range.startPfn) return undefined;
    this.#last = range;
    return range;
  }

  /** Every window, lowest first (`/proc/iomem`). */
  list(): readonly IoRange[] {
    this.onUse?.("look");
    return this.#ranges;
  }

  /** Gives all windows up. */
  reset(): void {
    this.#ranges.length = 0;
    this.#last = undefined;
  }

  /** The lowest place for a window, aligned to the power of two that holds it as a BAR is; -1 when there is none. */
  #place(pages: number): number {
    const alignment = 2 ** Math.ceil(Math.log2(pages));
    const low = Math.max(LOW_START / this.#pageSize, this.#ramEnd);
    const high = HIGH_START / this.#pageSize;
    if (this.#limit <= this.#lowEnd) return this.#firstFit(pages, alignment, low, this.#limit);
    if (pages * this.#pageSize >= LARGE_BYTES) return this.#firstFit(pages, alignment, high, this.#limit);
    const below4GiB = this.#firstFit(pages, alignment, low, this.#lowEnd);
    return below4GiB >= 0 ? below4GiB : this.#firstFit(pages, alignment, this.#lowEnd, high);
  }

  #firstFit(pages: number, alignment: number, from: number, to: number): number {
    const align = (pfn: number): number => Math.ceil(pfn / alignment) * alignment;
    let start = align(from);
    for (let at = this.#firstEndingAfter(start); at < this.#ranges.length; at++) {
      const range = this.#ranges[at] as IoRange;
      if (range.startPfn >= start + pages) break;
      start = align(range.endPfn);
    }
    return start + pages <= to ? start : -1;
  }

  /** Index of the first window that ends above `pfn`: the only one that may hold it. */
  #firstEndingAfter(pfn: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as IoRange).endPfn > pfn) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A load of 8 bytes from a device, in one access or two. */
export function readIo64(device: IoDevice, offset: number): bigint {
  if (device.read64 !== undefined) return device.read64(offset);
  const low = device.read(offset, 4);
  return BigInt(low) + (BigInt(device.read(offset + 4, 4)) << 32n);
}

/** A store of 8 bytes to a device, in one access or two. */
export function writeIo64(device: IoDevice, offset: number, value: bigint): void {
  if (device.write64 !== undefined) device.write64(offset, value);
  else {
    device.write(offset, 4, Number(BigInt.asUintN(32, value)));
    device.write(offset + 4, 4, Number(BigInt.asUintN(32, value >> 32n)));
  }
}
