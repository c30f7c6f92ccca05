import type { DeviceAccess, DmaTranslator } from "../contract/device-follower.ts";
import type { Atomic } from "../contract/execution.ts";
import type { Pinned } from "../contract/pinning-policy.ts";
import type { BusAddress, Page, Pfn, UserAddress } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { hexAddress } from "../memory/kernel-fault.ts";
import { PG_anon_exclusive } from "../memory/page-flags.ts";
import type { Mm } from "../mm/mm.ts";
import { noteLookAt } from "../mm/page-points.ts";
import { PTE_PRESENT, PTE_SPECIAL, PTE_WRITE, type Pte, ptePfn } from "../mmu/pte.ts";
import { visitEntries } from "../mmu/table-walk.ts";
import { Access, ObjectKind, slotIndex } from "../sched/points.ts";

/** Which way the bytes go, seen from the device. */
export type DmaDirection = "to-memory" | "from-memory";

/** A page that the driver has given to the device. */
interface DmaMapping {
  /** Transfers that have it. */
  times: number;
  readonly mm: Mm;
  /** Where it was mapped when it was held. */
  readonly vpn: number;
  /** How often the frame had been freed: were it freed since, it is somebody else's now. */
  readonly generation: number;
  /** Whether it was one process's alone. */
  readonly wasExclusive: boolean;
  /** What is wrong with it is said once. */
  isReported: boolean;
}

/** Memory that the driver has given to the device by a process's addresses. */
interface FollowedMapping {
  /** Transfers that have it. */
  times: number;
  readonly mm: Mm;
  isReported: boolean;
}

/**
 * A device's way to memory: it reads and writes frames by bus address, past every page table. Memory that nobody holds
 * is written all the same, as on the real machine, and reported; so is a page that has become another's since the
 * driver gave it to the device.
 */
export class DmaPort {
  /** The MMU of its own that the driver gave the device for the transfer at hand (`iommu_sva_bind_device`). */
  translator: DmaTranslator | undefined = undefined;
  readonly #machine: Machine;
  readonly #name: string;
  readonly #limit: number;
  /** The identity of the port for the scheduler; each page given to the device is a slot of it. */
  readonly #cell: number;
  #isCutOff = false;
  readonly #mappings = new Map<Page, DmaMapping>();
  readonly #followed = new Map<DmaTranslator, FollowedMapping>();

  constructor(machine: Machine, name: string, addressBits: number) {
    this.#machine = machine;
    this.#name = name;
    this.#limit = 2 ** addressBits;
    this.#cell = machine.sched.nextObject();
  }

  /** The device is off the bus: not one byte more arrives, not even of a burst that it had begun. */
  cutOff(): void {
    this.#note(Access.write);
    this.#isCutOff = true;
  }

  /** Whether the device can reach `[address, address + bytes)`. */
  reaches(address: BusAddress, bytes: number): boolean {
    return address >= 0 && address + bytes <= this.#limit;
  }

  /**
   * The driver gives held pages to the device (`dma_map_sg`): from here to `unmap` each burst is checked against what the
   * pages were (`CONFIG_DMA_API_DEBUG`), and what the device reaches by translations of its own against what the process
   * itself can reach there. Mappings nest.
   */
  map({ mm, start, pages, follower }: Pinned): void {
    if (follower !== undefined) {
      this.#note(Access.countUp);
      const known = this.#followed.get(follower);
      if (known !== undefined) known.times++;
      else this.#followed.set(follower, { times: 1, mm, isReported: false });
    }
    const { frames } = this.#machine.memory;
    for (const [index, page] of pages.entries()) {
      this.#notePage(page, Access.countUp);
      const known = this.#mappings.get(page);
      if (known !== undefined) known.times++;
      else {
        this.#mappings.set(page, {
          times: 1,
          mm,
          vpn: Math.floor(start * mm.perPage) + index,
          generation: frames.generation[page],
          wasExclusive: this.#isExclusive(page),
          isReported: false,
        });
      }
    }
  }

  /** Takes them back (`dma_unmap_sg`), before whatever holds them lets go. */
  unmap({ pages, follower }: Pinned): void {
    if (follower !== undefined) this.#note(Access.countDown);
    const followed = follower && this.#followed.get(follower);
    if (followed !== undefined && --followed.times === 0 && follower) this.#followed.delete(follower);
    for (const page of pages) {
      this.#notePage(page, Access.countDown);
      const known = this.#mappings.get(page);
      if (known !== undefined && --known.times === 0) this.#mappings.delete(page);
    }
  }

  /** Notes in the event log that the device begins a transfer. */
  started(address: BusAddress, bytes: number, direction: DmaDirection): void {
    this.#machine.violations.remember?.(this.#name, `starts a transfer of ${bytes} bytes ${direction}`);
    this.#machine.log.record("dma-start", address, bytes, direction === "to-memory" ? 1 : 0);
  }

  /** Notes that it is over, with the bytes that it moved. */
  ended(address: BusAddress, bytes: number, direction: DmaDirection): void {
    this.#machine.violations.remember?.(this.#name, `ends a transfer of ${bytes} bytes ${direction}`);
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

  /**
   * Copies a process's memory to the device, by that process's addresses and the device's own MMU. Answers the bytes
   * moved: fewer than asked for where a device fault stopped it.
   */
  *readThrough(translator: DmaTranslator, address: UserAddress, to: Uint8Array): Atomic<number> {
    return yield* this.#moveThrough(translator, address, to, "from-memory");
  }

  /** The same from the device to memory. */
  *writeThrough(translator: DmaTranslator, address: UserAddress, from: Uint8Array): Atomic<number> {
    return yield* this.#moveThrough(translator, address, from, "to-memory");
  }

  *#moveThrough(
    translator: DmaTranslator,
    address: UserAddress,
    data: Uint8Array,
    direction: DmaDirection,
  ): Atomic<number> {
    const { memory, geometry } = this.#machine;
    for (let done = 0; done < data.length; ) {
      const at = (address + done) as UserAddress;
      const offset = at % geometry.pageSize;
      const bytes = Math.min(data.length - done, geometry.pageSize - offset);
      const intent = direction === "to-memory" ? "write" : "read";
      const pfn = yield* this.#reach(translator, at, intent);
      this.#note(Access.read);
      if (!this.#isCutOff) {
        translator.accessed?.(at, intent);
        if (pfn !== undefined) this.#checkFollowed(translator, at, pfn, direction);
      }
      if (pfn === undefined || !memory.frames.isRam(pfn)) return done;
      this.#burst(pfn, offset, data.subarray(done, done + bytes), direction);
      done += bytes;
    }
    return data.length;
  }

  /**
   * Translates and announces the access, which is one step: a translation that went while others had their turn is
   * looked up again.
   */
  *#reach(translator: DmaTranslator, address: UserAddress, intent: DeviceAccess): Atomic<Pfn | undefined> {
    const { sched } = this.#machine;
    // What the next step is announced as depends on this look, which is part of the step under way.
    sched.note(ObjectKind.cell, translator.state.index, Access.read);
    let pfn = translator.translate(address, intent);
    while (sched.interleaving) {
      const { index } = translator.state;
      const access = intent === "write" ? Access.write : Access.read;
      yield pfn === undefined
        ? sched.at(ObjectKind.cell, index, Access.read)
        : sched.also(sched.at(ObjectKind.frameContents, pfn, access), ObjectKind.cell, index, Access.read);
      const before = pfn;
      pfn = translator.translate(address, intent);
      if (pfn === before) break;
    }
    return pfn;
  }

  *#move(address: BusAddress, data: Uint8Array, direction: DmaDirection): Atomic<boolean> {
    const { memory, sched, geometry } = this.#machine;
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
      this.#burst(pfn, offset, data.subarray(done, done + bytes), direction);
      done += bytes;
    }
    return true;
  }

  /** Moves bytes inside one frame of RAM, whoever it belongs to. */
  #burst(pfn: Pfn, offset: number, part: Uint8Array, direction: DmaDirection): void {
    this.#note(Access.read);
    if (this.#isCutOff) return;
    const { memory, geometry, log } = this.#machine;
    const { frames } = memory;
    const at = pfn * geometry.pageSize + offset;
    this.#check(pfn, direction);
    // `dma_sync_*`: what the device meets and leaves is what the processor sees.
    if (this.#machine.dataCache !== undefined) this.#machine.dataCache.flushFrame(pfn);
    if (direction === "to-memory") {
      frames.bytes.set(part, at);
      frames.markWritten(pfn, offset, part.length);
    } else {
      part.set(frames.bytes.subarray(at, at + part.length));
    }
    log.record("dma-burst", at, part.length, direction === "to-memory" ? 1 : 0);
  }

  /** A device's own translations are at every moment a subset of what the process's page table says. */
  #checkFollowed(translator: DmaTranslator, address: UserAddress, pfn: Pfn, direction: DmaDirection): void {
    const followed = this.#followed.get(translator);
    if (followed === undefined || followed.isReported) return;
    const { mm } = followed;
    const entry = mm.table.entryOf(Math.floor(address * mm.perPage));
    const isThere = (entry & PTE_PRESENT) !== 0 && ptePfn(entry) === pfn;
    if (isThere && (direction === "from-memory" || (entry & PTE_WRITE) !== 0)) return;
    this.#note(Access.write);
    followed.isReported = true;
    const where = `at address ${hexAddress(address)} of ${mm.name}`;
    const what = isThere ? `which may only be read ${where}` : `which is not what is ${where}`;
    this.#machine.violations.report("use-after-free", `${this.#say(pfn, direction)}, ${what}`, {
      frame: pfn,
    });
  }

  #say(pfn: Pfn, direction: DmaDirection): string {
    const verb = direction === "to-memory" ? "writes to" : "reads from";
    return `${this.#name} ${verb} ${this.#machine.memory.frames.describe(pfn)}`;
  }

  #check(pfn: Pfn, direction: DmaDirection): void {
    const { frames } = this.#machine.memory;
    if (!frames.hasPage(pfn)) return;
    const page = pfn as number as Page;
    this.#notePage(page, Access.read);
    const mapping = this.#mappings.get(page);
    const isFree = !frames.isAllocated(page);
    if (mapping?.isReported === true) return;
    const wrong = isFree ? "which nobody holds" : mapping && this.#whatChanged(page, mapping, direction);
    if (wrong === undefined) return;
    if (mapping !== undefined) {
      this.#notePage(page, Access.write);
      mapping.isReported = true;
    }
    const isShared = !isFree && mapping?.generation === frames.generation[page];
    this.#machine.violations.report(
      isShared ? "dma-into-shared" : "use-after-free",
      `${this.#say(pfn, direction)}, ${wrong}`,
      { frame: pfn, earlier: isShared ? undefined : this.#machine.history?.freed(pfn) },
    );
  }

  /** What has become of an allocated page since it was mapped for the device. */
  #whatChanged(page: Page, mapping: DmaMapping, direction: DmaDirection): string | undefined {
    const { frames } = this.#machine.memory;
    if (mapping.generation !== frames.generation[page]) return "which was freed and handed out anew";
    if (direction === "from-memory" || !mapping.wasExclusive) return undefined;
    // A legacy fork shares a reserved page and takes no account of it, the flag included.
    const isAccounted = this.#machine.settings.reservedPages === "6.1";
    if (isAccounted && this.#isExclusive(page)) return undefined;
    const other = this.#findSharer(page, mapping);
    return other === undefined ? undefined : `which a fork has shared with ${other.name}`;
  }

  /** Whether a page is one process's alone: its fork, which shares it, says that it no longer is. */
  #isExclusive(page: Page): boolean {
    noteLookAt(this.#machine, page);
    return this.#machine.memory.frames.hasFlags(page, PG_anon_exclusive);
  }

  /**
   * Another address space that shows a private page: a fork's, or that of a fork's fork, at whatever address it has moved
   * it to since.
   */
  #findSharer(page: Page, { mm, vpn }: DmaMapping): Mm | undefined {
    const { memory, mms, sched } = this.#machine;
    sched.note(ObjectKind.frameCounts, memory.frames.headOf(page), Access.read);
    const mapped = memory.frames.mapcount[page];
    // Not worth a search: nobody shows it, or none but its owner, whose forks have gone.
    if (mapped === 0 || (mapped === 1 && showsPage(mm.table.entryOf(vpn), page))) return undefined;
    for (const other of mms) {
      if (other === mm || other.isGhost) continue;
      for (const { entry } of visitEntries(other.table)) if (showsPage(entry, page)) return other;
    }
    return undefined;
  }

  #note(access: Access): void {
    this.#machine.sched.note(ObjectKind.cell, this.#cell, access);
  }

  /** Notes what the driver has done with a page for the device, or a look at that. */
  #notePage(page: Page, access: Access): void {
    this.#machine.sched.note(ObjectKind.slot, slotIndex(this.#cell, page), access);
  }
}

/** Whether an entry maps and counts the page. */
function showsPage(entry: Pte, page: Page): boolean {
  return entry !== 0 && (entry & PTE_SPECIAL) === 0 && ptePfn(entry) === page;
}
