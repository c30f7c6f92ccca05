import type { Atomic } from "../contract/execution.ts";
import type { BusAddress, Page, Pfn } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { Access, ObjectKind } from "../sched/points.ts";

/** Which way the bytes go, seen from the device. */
export type DmaDirection = "to-memory" | "from-memory";

/**
 * A device's way to memory: it reads and writes frames by bus address, past every page table. Memory that nobody holds
 * is written all the same, as on the real machine, and reported.
 */
export class DmaPort {
  readonly #machine: Machine;
  readonly #name: string;
  readonly #limit: number;

  constructor(machine: Machine, name: string, addressBits: number) {
    this.#machine = machine;
    this.#name = name;
    this.#limit = 2 ** addressBits;
  }

  /** Whether the device can reach `[address, address + bytes)`. */
  reaches(address: BusAddress, bytes: number): boolean {
    return address >= 0 && address + bytes <= this.#limit;
  }

  /** Notes in the event log that the device begins a transfer. */
  started(address: BusAddress, bytes: number, direction: DmaDirection): void {
    this.#machine.log.record("dma-start", address, bytes, direction === "to-memory" ? 1 : 0);
  }

  /** Notes that it is over, with the bytes that it moved. */
  ended(address: BusAddress, bytes: number, direction: DmaDirection): void {
    this.#machine.log.record("dma-end", address, bytes, direction === "to-memory" ? 1 : 0);
  }

  /** Copies memory to the device; `to` is filled. Answers false when an address is no RAM or out of reach. */
  *read(address: BusAddress, to: Uint8Array): Atomic<boolean> {
    return yield* this.#move(address, to, "from-memory");
  }

  /** Copies from the device to memory. Answers false when an address is no RAM or out of reach. */
  *write(address: BusAddress, from: Uint8Array): Atomic<boolean> {
    return yield* this.#move(address, from, "to-memory");
  }

  *#move(address: BusAddress, data: Uint8Array, direction: DmaDirection): Atomic<boolean> {
    const { memory, sched, geometry, log } = this.#machine;
    const { frames } = memory;
    if (!this.reaches(address, data.length)) return false;
    for (let done = 0; done < data.length; ) {
      const at = address + done;
      const pfn = Math.floor(at / geometry.pageSize) as Pfn;
      const offset = at - pfn * geometry.pageSize;
      const bytes = Math.min(data.length - done, geometry.pageSize - offset);
      if (!frames.isRam(pfn)) return false;
      if (sched.interleaving) {
        const access = direction === "to-memory" ? Access.write : Access.read;
        yield sched.at(ObjectKind.frameContents, pfn, access);
      }
      this.#check(pfn, direction);
      if (direction === "to-memory") {
        frames.bytes.set(data.subarray(done, done + bytes), at);
        frames.markWritten(pfn, offset, bytes);
      } else {
        data.set(frames.bytes.subarray(at, at + bytes), done);
      }
      log.record("dma-burst", at, bytes, direction === "to-memory" ? 1 : 0);
      done += bytes;
    }
    return true;
  }

  #check(pfn: Pfn, direction: DmaDirection): void {
    const { frames } = this.#machine.memory;
    if (!frames.hasPage(pfn) || frames.isAllocated(pfn as number as Page)) return;
    const verb = direction === "to-memory" ? "writes to" : "reads from";
    this.#machine.violations.report(
      "use-after-free",
      `${this.#name} ${verb} ${frames.describe(pfn)}, which nobody holds`,
    );
  }
}
