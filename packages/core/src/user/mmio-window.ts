import type { Machine } from "../machine.ts";
import { type IoWidth, readIo64, writeIo64 } from "../memory/io-ranges.ts";
import { type Pte, ptePfn } from "../mmu/pte.ts";

/** Bytes of one access of up to 32 bits. */
export type Width = IoWidth;

/**
 * Accesses to I/O memory through a translation: they reach the device's register handlers with their width. Where no
 * device answers, reads give all ones and writes are lost, as on a PCI bus.
 */
export class MmioWindow {
  // Private to TypeScript only: see `NopageCall`.
  private readonly machine: Machine;
  private readonly pageSize: number;

  constructor(machine: Machine) {
    this.machine = machine;
    this.pageSize = machine.geometry.pageSize;
  }

  read(entry: Pte, inPage: number, width: Width): number {
    const { memory, log } = this.machine;
    const pfn = ptePfn(entry);
    const window = memory.io.find(pfn);
    if (window === undefined) return 2 ** (8 * width) - 1;
    const offset = (pfn - window.startPfn) * this.pageSize + inPage;
    const value = window.device.read(offset, width);
    if (log.enabled) log.record("register-read", offset, width, value);
    return value;
  }

  write(entry: Pte, inPage: number, width: Width, value: number): void {
    const { memory, log } = this.machine;
    const pfn = ptePfn(entry);
    const window = memory.io.find(pfn);
    if (window === undefined) return;
    const offset = (pfn - window.startPfn) * this.pageSize + inPage;
    if (log.enabled) log.record("register-write", offset, width, value);
    window.device.write(offset, width, value);
  }

  read64(entry: Pte, inPage: number): bigint {
    const { memory, log } = this.machine;
    const pfn = ptePfn(entry);
    const window = memory.io.find(pfn);
    if (window === undefined) return 0xffff_ffff_ffff_ffffn;
    const offset = (pfn - window.startPfn) * this.pageSize + inPage;
    const value = readIo64(window.device, offset);
    log.record("register-read", offset, 8, Number(value));
    return value;
  }

  write64(entry: Pte, inPage: number, value: bigint): void {
    const { memory, log } = this.machine;
    const pfn = ptePfn(entry);
    const window = memory.io.find(pfn);
    if (window === undefined) return;
    const offset = (pfn - window.startPfn) * this.pageSize + inPage;
    log.record("register-write", offset, 8, Number(value));
    writeIo64(window.device, offset, value);
  }

  /** Moves bytes that lie in one page, in 32-bit accesses where alignment allows and bytes elsewhere. */
  moveBlock(entry: Pte, inPage: number, data: Uint8Array, direction: "read" | "write"): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < data.length; ) {
      const at = inPage + done;
      const width: Width = (at & 3) === 0 && data.length - done >= 4 ? 4 : 1;
      if (direction === "write") {
        this.write(entry, at, width, width === 4 ? view.getUint32(done, true) : view.getUint8(done));
      } else if (width === 4) {
        view.setUint32(done, this.read(entry, at, width), true);
      } else {
        view.setUint8(done, this.read(entry, at, width));
      }
      done += width;
    }
  }
}
