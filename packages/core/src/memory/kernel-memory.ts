import type { KernelAddress, Pfn } from "../contract/units.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import type { DirectMap } from "./direct-map.ts";
import type { Frames } from "./frames.ts";
import { hexAddress, KernelFault } from "./kernel-fault.ts";
import type { Vmalloc } from "./vmalloc.ts";

// A number on its way to or from memory that may lie on two pages; nobody else runs meanwhile.
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * The kernel's own loads and stores, through the direct map and the vmalloc area, a page at a time. Little-endian;
 * addresses need no alignment. What was stored before a fault stays stored.
 *
 * A touch of a free frame is reported as use after free, and done all the same.
 *
 * Every method throws `KernelFault` for an address that maps no RAM: NULL, a user address, a guard page, a hole,
 * device registers.
 */
export class KernelMemory {
  /** Told of each frame whose contents are about to be loaded or stored. */
  onAccess: ((pfn: Pfn, access: "load" | "store") => void) | undefined = undefined;
  readonly #frames: Frames;
  readonly #directMap: DirectMap;
  readonly #vmalloc: Vmalloc;
  readonly #violations: ViolationSink;

  constructor(frames: Frames, directMap: DirectMap, vmalloc: Vmalloc, violations: ViolationSink) {
    this.#frames = frames;
    this.#directMap = directMap;
    this.#vmalloc = vmalloc;
    this.#violations = violations;
  }

  /** The frame that an address of the kernel names, of whichever mapping. */
  pfnOf(address: KernelAddress): Pfn {
    const pfn = this.#directMap.pfnOf(address) ?? this.#vmalloc.pfnOf(address);
    if (pfn === undefined) throw new KernelFault(address, "nothing is mapped there");
    if (!this.#frames.isRam(pfn))
      throw new KernelFault(address, `${this.#frames.describe(pfn)} is no memory`);
    return pfn;
  }

  load8(address: KernelAddress): number {
    return this.#frames.bytes[this.#locate(address, "load")];
  }

  load32(address: KernelAddress): number {
    const start = this.#locate(address, "load");
    if (this.#leftInPage(start) >= 4) return this.#frames.view.getUint32(start, true);
    this.read(address, scratchBytes.subarray(0, 4));
    return scratch.getUint32(0, true);
  }

  load64(address: KernelAddress): bigint {
    this.read(address, scratchBytes);
    return scratch.getBigUint64(0, true);
  }

  /** Stores the lowest 8 bits of `value`. */
  store8(address: KernelAddress, value: number): void {
    const start = this.#locate(address, "store");
    this.#frames.bytes[start] = value;
    this.#wrote(start, 1);
  }

  /** Stores the lowest 32 bits of `value`. */
  store32(address: KernelAddress, value: number): void {
    const start = this.#locate(address, "store");
    if (this.#leftInPage(start) >= 4) {
      this.#frames.view.setUint32(start, value, true);
      this.#wrote(start, 4);
    } else {
      scratch.setUint32(0, value, true);
      this.write(address, scratchBytes.subarray(0, 4));
    }
  }

  /** Stores the lowest 64 bits of `value`. */
  store64(address: KernelAddress, value: bigint): void {
    scratch.setBigUint64(0, value, true);
    this.write(address, scratchBytes);
  }

  /** Fills `target` with the bytes `[address, address + target.length)`. */
  read(address: KernelAddress, target: Uint8Array): void {
    const { bytes } = this.#frames;
    for (let done = 0; done < target.length; ) {
      const start = this.#locate((address + done) as KernelAddress, "load");
      const run = Math.min(target.length - done, this.#leftInPage(start));
      target.set(bytes.subarray(start, start + run), done);
      done += run;
    }
  }

  /** Stores `source` at `[address, address + source.length)`. */
  write(address: KernelAddress, source: Uint8Array): void {
    const { bytes } = this.#frames;
    for (let done = 0; done < source.length; ) {
      const start = this.#locate((address + done) as KernelAddress, "store");
      const run = Math.min(source.length - done, this.#leftInPage(start));
      bytes.set(source.subarray(done, done + run), start);
      this.#wrote(start, run);
      done += run;
    }
  }

  /** Copies `bytes` bytes (`memcpy`); the two ranges must not overlap. */
  copy(to: KernelAddress, from: KernelAddress, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const source = this.#locate((from + done) as KernelAddress, "load");
      const target = this.#locate((to + done) as KernelAddress, "store");
      const run = Math.min(bytes - done, this.#leftInPage(source), this.#leftInPage(target));
      this.#frames.bytes.copyWithin(target, source, source + run);
      this.#wrote(target, run);
      done += run;
    }
  }

  /** Stores `value`, a byte, into `[address, address + bytes)` (`memset`). */
  fill(address: KernelAddress, value: number, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const start = this.#locate((address + done) as KernelAddress, "store");
      const run = Math.min(bytes - done, this.#leftInPage(start));
      this.#frames.bytes.fill(value, start, start + run);
      this.#wrote(start, run);
      done += run;
    }
  }

  /** The offset into the contents of RAM. */
  #locate(address: KernelAddress, access: "load" | "store"): number {
    const pfn = this.pfnOf(address);
    this.onAccess?.(pfn, access);
    if (!this.#frames.isAllocated(pfn)) {
      const name = this.#frames.describe(pfn);
      this.#violations.report("use-after-free", `kernel ${access} at ${hexAddress(address)} in ${name}`, {
        frame: pfn,
      });
    }
    // Both mappings begin on a page boundary, and so does RAM.
    const { pageSize } = this.#frames;
    return pfn * pageSize + (address - Math.floor(address / pageSize) * pageSize);
  }

  #leftInPage(offset: number): number {
    const { pageSize } = this.#frames;
    return pageSize - (offset & (pageSize - 1));
  }

  #wrote(offset: number, bytes: number): void {
    const { pageSize } = this.#frames;
    const inside = offset & (pageSize - 1);
    this.#frames.markWritten(((offset - inside) / pageSize) as Pfn, inside, bytes);
  }
}
