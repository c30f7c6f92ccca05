import type { MaySleep, Sleepable } from "../contract/execution.ts";
import { type Access, isTrap, type Trap } from "../contract/signals.ts";
import type { UserAddress } from "../contract/units.ts";
import type { Frames } from "../memory/frames.ts";
import type { AccessMode } from "../mm/user-fault.ts";
import { ptePfn } from "../mmu/pte.ts";
import type { Tlb } from "../mmu/tlb.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { MmioWindow, type Width } from "./mmio-window.ts";
import { createHit32, MISS } from "./tlb-hit.ts";
import { Translator } from "./translator.ts";
import type { UserThread } from "./user-thread.ts";

function missing(): number {
  return MISS;
}

/** A block copy: how many bytes were moved, and the trap that stopped it before the end. */
export interface BlockCopy {
  readonly bytes: number;
  readonly trap?: Trap;
}

/**
 * How a thread touches its address space. An access ends with its value or with the trap that its signal carries;
 * unaligned ones that cross a page are done byte by byte, once both pages may be touched. Values are little-endian, and 64-bit ones are bigints.
 */
export class UserMemory {
  /**
   * Loads a word that the TLB serves, for loops over memory; see `createHit32`. `MISS` for every address where a load is to
   * be checked or may be interrupted.
   */
  readonly hit32: (address: UserAddress) => number;
  // Private to TypeScript only: see `NopageCall`.
  private readonly translator: Translator;
  private readonly tlb: Tlb;
  private readonly frames: Frames;
  private readonly mmio: MmioWindow;
  private readonly pageSize: number;
  private readonly inPageMask: number;
  private readonly mayHit: boolean;

  constructor(thread: UserThread, mode: AccessMode) {
    const { machine, mm } = thread.process;
    this.translator = new Translator(thread, mode);
    this.tlb = this.translator.tlb;
    this.frames = machine.memory.frames;
    this.mmio = new MmioWindow(machine);
    this.pageSize = mm.pageSize;
    this.inPageMask = mm.pageSize - 1;
    // Not whether it interleaves at present: a second task may come later.
    const { chooser, checkAccesses } = machine.settings;
    this.mayHit = !chooser.interleaves && checkAccesses === "off";
    this.hit32 = this.mayHit ? createHit32(this.tlb, this.frames.words, mm.pageSize, mm.id) : missing;
  }

  /** Loads 8, 16 or 32 bits, unsigned. */
  load(address: UserAddress, width: Width): MaySleep<Access<number>> {
    if (this.mayHit && width === 4) {
      const value = this.hit32(address);
      if (value !== MISS) return value;
    }
    if (this.crossesPage(address, width)) return this.loadBytes(address, width);
    const slot = this.translator.translate(address, "read");
    if (typeof slot === "number") return this.loadThrough(slot, address, width);
    return isGenerator(slot) ? this.loadLater(slot, address, width) : slot;
  }

  /** Stores the low 8, 16 or 32 bits of a value: undefined, or the trap. */
  store(address: UserAddress, width: Width, value: number): MaySleep<Access<undefined>> {
    if (this.crossesPage(address, width)) return this.storeBytes(address, width, value);
    const slot = this.translator.translate(address, "write");
    if (typeof slot === "number") return this.storeThrough(slot, address, width, value);
    return isGenerator(slot) ? this.storeLater(slot, address, width, value) : slot;
  }

  /** Loads 64 bits; aligned to 8 bytes it is one access. */
  *load64(address: UserAddress): Sleepable<Access<bigint>> {
    if ((address & 7) !== 0) {
      const bytes = new Uint8Array(8);
      const { trap } = yield* this.loadBlock(address, bytes);
      return trap ?? new DataView(bytes.buffer).getBigUint64(0, true);
    }
    const slot = yield* this.translator.translated(address, "read");
    if (typeof slot !== "number") return slot;
    const ram = this.tlb.ramOffset[slot];
    const inPage = address & this.inPageMask;
    return ram >= 0
      ? this.frames.view.getBigUint64(ram + inPage, true)
      : this.mmio.read64(this.tlb.entry[slot], inPage);
  }

  /** Stores 64 bits; aligned to 8 bytes it is one access. */
  *store64(address: UserAddress, value: bigint): Sleepable<Access<undefined>> {
    if ((address & 7) !== 0) {
      const refused = this.crossesPage(address, 8) ? yield* this.reachBoth(address) : undefined;
      if (refused !== undefined) return refused;
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value, true);
      return (yield* this.storeBlock(address, bytes)).trap;
    }
    const slot = yield* this.translator.translated(address, "write");
    if (typeof slot !== "number") return slot;
    const ram = this.tlb.ramOffset[slot];
    const inPage = address & this.inPageMask;
    if (ram < 0) {
      this.mmio.write64(this.tlb.entry[slot], inPage, value);
      return undefined;
    }
    this.frames.view.setBigUint64(ram + inPage, value, true);
    this.frames.markWritten(ptePfn(this.tlb.entry[slot]), inPage, 8);
    return undefined;
  }

  /** Copies memory into `to`, page by page; I/O memory in 32-bit accesses where alignment allows. */
  *loadBlock(address: UserAddress, to: Uint8Array): Sleepable<BlockCopy> {
    return yield* this.block(address, to, "read");
  }

  /** Copies `from` to memory, page by page. */
  *storeBlock(address: UserAddress, from: Uint8Array): Sleepable<BlockCopy> {
    return yield* this.block(address, from, "write");
  }

  private crossesPage(address: number, width: number): boolean {
    return (address & this.inPageMask) + width > this.pageSize;
  }

  private loadThrough(slot: number, address: UserAddress, width: Width): number {
    const ram = this.tlb.ramOffset[slot];
    const inPage = address & this.inPageMask;
    if (ram < 0) return this.mmio.read(this.tlb.entry[slot], inPage, width);
    const { view } = this.frames;
    if (width === 4) return view.getUint32(ram + inPage, true);
    return width === 2 ? view.getUint16(ram + inPage, true) : view.getUint8(ram + inPage);
  }

  private storeThrough(slot: number, address: UserAddress, width: Width, value: number): undefined {
    const ram = this.tlb.ramOffset[slot];
    const inPage = address & this.inPageMask;
    if (ram < 0) {
      this.mmio.write(this.tlb.entry[slot], inPage, width, value);
      return;
    }
    const { view } = this.frames;
    if (width === 4) view.setUint32(ram + inPage, value >>> 0, true);
    else if (width === 2) view.setUint16(ram + inPage, value & 0xffff, true);
    else view.setUint8(ram + inPage, value & 0xff);
    this.frames.markWritten(ptePfn(this.tlb.entry[slot]), inPage, width);
  }

  private *loadLater(
    translation: Sleepable<number | Trap>,
    address: UserAddress,
    width: Width,
  ): Sleepable<Access<number>> {
    const slot = yield* translation;
    return typeof slot === "number" ? this.loadThrough(slot, address, width) : slot;
  }

  private *storeLater(
    translation: Sleepable<number | Trap>,
    address: UserAddress,
    width: Width,
    value: number,
  ): Sleepable<Access<undefined>> {
    const slot = yield* translation;
    return typeof slot === "number" ? this.storeThrough(slot, address, width, value) : slot;
  }

  private *loadBytes(address: UserAddress, width: Width): Sleepable<Access<number>> {
    let value = 0;
    for (let index = 0; index < width; index++) {
      const answer = this.load((address + index) as UserAddress, 1);
      const byte = isGenerator(answer) ? yield* answer : answer;
      if (isTrap(byte)) return byte;
      value += byte * 2 ** (8 * index);
    }
    return value;
  }

  /** Makes sure that a store across the end of a page may touch both pages: one that traps has stored nothing. */
  private *reachBoth(address: UserAddress): Sleepable<Trap | undefined> {
    const next = (address - (address & this.inPageMask) + this.pageSize) as UserAddress;
    for (const page of [address, next]) {
      const slot = yield* this.translator.translated(page, "write");
      if (typeof slot !== "number") return slot;
    }
    return undefined;
  }

  private *storeBytes(address: UserAddress, width: Width, value: number): Sleepable<Access<undefined>> {
    const refused = yield* this.reachBoth(address);
    if (refused !== undefined) return refused;
    for (let index = 0; index < width; index++) {
      const answer = this.store((address + index) as UserAddress, 1, value >>> (8 * index));
      const trap = isGenerator(answer) ? yield* answer : answer;
      if (trap !== undefined) return trap;
    }
    return undefined;
  }

  private *block(address: UserAddress, data: Uint8Array, direction: "read" | "write"): Sleepable<BlockCopy> {
    for (let done = 0; done < data.length; ) {
      const here = (address + done) as UserAddress;
      const inPage = here & this.inPageMask;
      const length = Math.min(data.length - done, this.pageSize - inPage);
      const slot = yield* this.translator.translated(here, direction);
      if (typeof slot !== "number") return { bytes: done, trap: slot };
      this.movePart(slot, inPage, data.subarray(done, done + length), direction);
      done += length;
    }
    return { bytes: data.length };
  }

  private movePart(slot: number, inPage: number, part: Uint8Array, direction: "read" | "write"): void {
    const ram = this.tlb.ramOffset[slot];
    const entry = this.tlb.entry[slot];
    if (ram < 0) {
      this.mmio.moveBlock(entry, inPage, part, direction);
    } else if (direction === "read") {
      part.set(this.frames.bytes.subarray(ram + inPage, ram + inPage + part.length));
    } else {
      this.frames.bytes.set(part, ram + inPage);
      this.frames.markWritten(ptePfn(entry), inPage, part.length);
    }
  }
}
