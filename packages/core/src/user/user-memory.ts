import type { Sleepable } from "../contract/execution.ts";
import type { Access, Trap } from "../contract/signals.ts";
import { isTrap } from "../contract/signals.ts";
import type { Page, UserAddress } from "../contract/units.ts";
import { type IoRange, readIo64, writeIo64 } from "../memory/io-ranges.ts";
import type { Mm } from "../mm/mm.ts";
import { type AccessMode, userFault } from "../mm/user-fault.ts";
import { PTE_ACCESSED, PTE_DIRTY, PTE_READ, PTE_WRITE, type Pte, ptePfn } from "../mmu/pte.ts";
import type { Tlb } from "../mmu/tlb.ts";
import { Access as AccessKind, ObjectKind } from "../sched/points.ts";
import type { UserThread } from "./user-thread.ts";

/** Bytes of one access: 8 to 64 bits. 64-bit values are bigints. */
export type Width = 1 | 2 | 4;

/** `hit32` cannot serve the address: the caller takes the way through `load`. */
export const MISS = -1;

/**
 * How a thread touches its address space: TLB, page-table walk, fault, and again from the start, as the hardware does.
 * An access either ends with its value or with the trap that its signal carries. Unaligned accesses that cross a page
 * are done byte by byte.
 */
export class UserMemory {
  readonly #thread: UserThread;
  readonly #mm: Mm;
  readonly #tlb: Tlb;
  readonly #words: Int32Array;
  readonly #inPageMask: number;
  readonly #mayHit: boolean;
  readonly #mode: AccessMode;

  constructor(thread: UserThread, mode: AccessMode) {
    this.#mode = mode;
    const { machine, mm } = thread.process;
    this.#thread = thread;
    this.#mm = mm;
    this.#tlb = machine.tlbs[thread.cpu];
    this.#words = machine.memory.frames.words;
    this.#inPageMask = mm.pageSize - 1;
    this.#mayHit = !machine.sched.interleaving && machine.settings.checkAccesses === "off";
  }

  /**
   * The 32-bit word at an address whose page the TLB has as readable RAM, or `MISS`: the part of `load` that needs no
   * kernel, for loops over memory. It skips the checks for freed memory.
   */
  hit32(address: UserAddress): number {
    const tlb = this.#tlb;
    const inPage = address & this.#inPageMask;
    const base = address - inPage;
    const slot = (base * tlb.perPage) & tlb.slotMask;
    if (tlb.readTag[slot] !== base || tlb.space !== this.#mm.id || (inPage & 3) !== 0) return MISS;
    return this.#words[(tlb.ramOffset[slot] + inPage) >> 2] >>> 0;
  }

  /** Loads 8, 16 or 32 bits, unsigned and little-endian. */
  *load(address: UserAddress, width: Width): Sleepable<Access<number>> {
    if (this.#mayHit && width === 4) {
      const value = this.hit32(address);
      if (value !== MISS) return value;
    }
    if (this.#crossesPage(address, width)) return yield* this.#loadBytes(address, width);
    const entry = yield* this.#translate(address, "read");
    if (typeof entry !== "number") return entry;
    const { view } = this.#frames;
    const at = this.#ramOffset(entry, address);
    if (at < 0) return this.#readRegister(entry, address, width);
    if (width === 4) return view.getUint32(at, true);
    return width === 2 ? view.getUint16(at, true) : view.getUint8(at);
  }

  /** Stores the low 8, 16 or 32 bits of a value: undefined, or the trap. */
  *store(address: UserAddress, width: Width, value: number): Sleepable<Access<undefined>> {
    if (this.#crossesPage(address, width)) return yield* this.#storeBytes(address, width, value);
    const entry = yield* this.#translate(address, "write");
    if (typeof entry !== "number") return entry;
    const { view } = this.#frames;
    const at = this.#ramOffset(entry, address);
    if (at < 0) return this.#writeRegister(entry, address, width, value);
    if (width === 4) view.setUint32(at, value >>> 0, true);
    else if (width === 2) view.setUint16(at, value & 0xffff, true);
    else view.setUint8(at, value & 0xff);
    this.#frames.markWritten(ptePfn(entry), address & this.#inPageMask, width);
    return undefined;
  }

  /** Loads 64 bits; aligned to 8 bytes it is one access. */
  *load64(address: UserAddress): Sleepable<Access<bigint>> {
    if ((address & 7) !== 0) {
      const low = yield* this.load(address, 4);
      if (typeof low !== "number") return low;
      const high = yield* this.load((address + 4) as UserAddress, 4);
      if (typeof high !== "number") return high;
      return (BigInt(high) << 32n) | BigInt(low);
    }
    const entry = yield* this.#translate(address, "read");
    if (typeof entry !== "number") return entry;
    const at = this.#ramOffset(entry, address);
    if (at >= 0) return this.#frames.view.getBigUint64(at, true);
    const window = this.#window(entry);
    if (window === undefined) return 0xffffffffffffffffn;
    const value = readIo64(window.device, this.#offsetIn(window, entry, address));
    return value;
  }

  /** Stores 64 bits; aligned to 8 bytes it is one access. */
  *store64(address: UserAddress, value: bigint): Sleepable<Access<undefined>> {
    if ((address & 7) !== 0) {
      const low = yield* this.store(address, 4, Number(value & 0xffffffffn));
      if (low !== undefined) return low;
      return yield* this.store((address + 4) as UserAddress, 4, Number((value >> 32n) & 0xffffffffn));
    }
    const entry = yield* this.#translate(address, "write");
    if (typeof entry !== "number") return entry;
    const at = this.#ramOffset(entry, address);
    if (at >= 0) {
      this.#frames.view.setBigUint64(at, value, true);
      this.#frames.markWritten(ptePfn(entry), address & this.#inPageMask, 8);
      return undefined;
    }
    const window = this.#window(entry);
    if (window !== undefined) writeIo64(window.device, this.#offsetIn(window, entry, address), value);
    return undefined;
  }

  /**
   * Copies memory into `to`, page by page: the bytes copied, which is fewer than asked for when a page trapped.
   * I/O memory is read in 32-bit accesses where alignment allows.
   */
  *loadBlock(
    address: UserAddress,
    to: Uint8Array,
  ): Sleepable<{ readonly bytes: number; readonly trap?: Trap }> {
    return yield* this.#block(address, to, "read");
  }

  /** Copies `from` to memory, page by page: the bytes copied. */
  *storeBlock(
    address: UserAddress,
    from: Uint8Array,
  ): Sleepable<{ readonly bytes: number; readonly trap?: Trap }> {
    return yield* this.#block(address, from, "write");
  }

  get #frames() {
    return this.#mm.machine.memory.frames;
  }

  #crossesPage(address: number, width: number): boolean {
    return (address & this.#inPageMask) + width > this.#mm.pageSize;
  }

  *#loadBytes(address: UserAddress, width: Width): Sleepable<Access<number>> {
    let value = 0;
    for (let index = 0; index < width; index++) {
      const byte = yield* this.load((address + index) as UserAddress, 1);
      if (isTrap(byte)) return byte;
      value += byte * 2 ** (8 * index);
    }
    return value;
  }

  *#storeBytes(address: UserAddress, width: Width, value: number): Sleepable<Access<undefined>> {
    for (let index = 0; index < width; index++) {
      const trap = yield* this.store((address + index) as UserAddress, 1, value >>> (8 * index));
      if (trap !== undefined) return trap;
    }
    return undefined;
  }

  *#block(
    address: UserAddress,
    data: Uint8Array,
    direction: "read" | "write",
  ): Sleepable<{ readonly bytes: number; readonly trap?: Trap }> {
    const { bytes: ram } = this.#frames;
    for (let done = 0; done < data.length; ) {
      const here = (address + done) as UserAddress;
      const inPage = here & this.#inPageMask;
      const length = Math.min(data.length - done, this.#mm.pageSize - inPage);
      const entry = yield* this.#translate(here, direction);
      if (typeof entry !== "number") return { bytes: done, trap: entry };
      const at = this.#ramOffset(entry, here);
      const part = data.subarray(done, done + length);
      if (at < 0) this.#moveRegisters(entry, here, part, direction);
      else if (direction === "read") part.set(ram.subarray(at, at + length));
      else {
        ram.set(part, at);
        this.#frames.markWritten(ptePfn(entry), inPage, length);
      }
      done += length;
    }
    return { bytes: data.length };
  }

  /**
   * The entry that lets the access through, with its data access in the same step: until the caller yields, no
   * shoot-down can come between. Or the trap.
   */
  *#translate(address: UserAddress, access: "read" | "write"): Sleepable<Pte | Trap> {
    const mm = this.#mm;
    const { machine } = mm;
    const { sched } = machine;
    const tlb = this.#tlb;
    const base = address - (address & this.#inPageMask);
    const vpn = base * mm.perPage;
    for (;;) {
      if (sched.interleaving) {
        const cached = tlb.space === mm.id ? tlb.lookup(base) : 0;
        yield this.#announce(cached, access);
        if (cached !== (tlb.space === mm.id ? tlb.lookup(base) : 0)) continue;
      }
      if (tlb.space !== mm.id) {
        tlb.switchTo(mm.id);
        mm.cpus |= 1 << this.#thread.cpu;
      }
      const cached = tlb.lookup(base);
      if (permits(cached, access)) {
        this.#checkFrame(cached, address, access);
        return cached;
      }
      if (sched.interleaving) {
        const walk = sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn), AccessKind.read);
        yield sched.also(walk, ObjectKind.tlb, this.#thread.cpu, AccessKind.write);
      }
      const entry = this.#walk(vpn, access);
      if (entry !== 0) {
        tlb.insert(base, entry, this.#frames.total);
        if (sched.interleaving) continue;
        this.#checkFrame(entry, address, access);
        return entry;
      }
      const trap = yield* userFault(this.#thread, address, access, this.#mode);
      if (trap !== undefined) return trap;
    }
  }

  /** Announces the access itself: the TLB, and the frame or the register behind the cached entry. */
  #announce(cached: Pte, access: "read" | "write") {
    const { sched } = this.#mm.machine;
    const lookUp = sched.at(ObjectKind.tlb, this.#thread.cpu, AccessKind.read);
    if (!permits(cached, access)) return lookUp;
    const pfn = ptePfn(cached);
    if (pfn >= this.#frames.total)
      return sched.also(lookUp, ObjectKind.register, this.#window(cached)?.startPfn ?? 0, AccessKind.write);
    return sched.also(
      lookUp,
      ObjectKind.frameContents,
      pfn,
      access === "read" ? AccessKind.read : AccessKind.write,
    );
  }

  /** The hardware's walk: the entry for this very page, with its accessed and dirty bits set in the table; or 0. */
  #walk(vpn: number, access: "read" | "write"): Pte {
    const { table } = this.#mm;
    const entry = table.entryOf(vpn);
    if (!permits(entry, access)) return 0;
    const bits = access === "write" ? PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED;
    table.pool.setFlags(table.find(vpn), bits);
    return table.entryOf(vpn);
  }

  #ramOffset(entry: Pte, address: number): number {
    const pfn = ptePfn(entry);
    return pfn < this.#frames.total ? pfn * this.#mm.pageSize + (address & this.#inPageMask) : -1;
  }

  #checkFrame(entry: Pte, address: number, access: "read" | "write"): void {
    const { machine } = this.#mm;
    if (machine.settings.checkAccesses === "off") return;
    const pfn = ptePfn(entry);
    if (!this.#frames.hasPage(pfn) || this.#frames.isAllocated(pfn as number as Page)) return;
    const verb = access === "read" ? "loads from" : "stores to";
    machine.violations.report(
      "use-after-free",
      `${this.#thread.name} ${verb} 0x${address.toString(16)} through a translation to ${this.#frames.describe(pfn)}`,
    );
  }

  #window(entry: Pte): IoRange | undefined {
    return this.#mm.machine.memory.io.find(ptePfn(entry));
  }

  #offsetIn(window: IoRange, entry: Pte, address: number): number {
    return (ptePfn(entry) - window.startPfn) * this.#mm.pageSize + (address & this.#inPageMask);
  }

  /** Reads a register; where nothing answers the bus gives all ones. */
  #readRegister(entry: Pte, address: number, width: Width): number {
    const window = this.#window(entry);
    if (window === undefined) return 2 ** (8 * width) - 1;
    const offset = this.#offsetIn(window, entry, address);
    const value = window.device.read(offset, width);
    this.#mm.machine.log.record("register-read", offset, width, value);
    return value;
  }

  #writeRegister(entry: Pte, address: number, width: Width, value: number): undefined {
    const window = this.#window(entry);
    if (window === undefined) return;
    const offset = this.#offsetIn(window, entry, address);
    this.#mm.machine.log.record("register-write", offset, width, value);
    window.device.write(offset, width, value);
  }

  #moveRegisters(entry: Pte, address: number, data: Uint8Array, direction: "read" | "write"): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < data.length; ) {
      const isWord = ((address + done) & 3) === 0 && data.length - done >= 4;
      const width: Width = isWord ? 4 : 1;
      if (direction === "read") {
        const value = this.#readRegister(entry, address + done, width);
        if (isWord) view.setUint32(done, value, true);
        else view.setUint8(done, value);
      } else {
        this.#writeRegister(
          entry,
          address + done,
          width,
          isWord ? view.getUint32(done, true) : view.getUint8(done),
        );
      }
      done += width;
    }
  }
}

/** Whether an entry lets an access through. */
function permits(entry: Pte, access: "read" | "write"): boolean {
  return access === "read" ? (entry & PTE_READ) !== 0 : (entry & PTE_WRITE) !== 0;
}
