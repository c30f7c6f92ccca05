import type { Shared } from "@nopage/core";
import type { Atomic, DeviceAccess, DmaTranslator, Kernel, Page, UserAddress } from "@nopage/core/contract";

/** One secondary entry. */
export interface DeviceEntry {
  readonly page: Page;
  readonly isWritable: boolean;
  /** Set by the device when it stores through the entry. */
  isDirty: boolean;
}

/**
 * A device's own page table for one process, and the TLB in front of it. The driver writes the table and flushes the
 * TLB; the device only looks. What was taken out of the table is in use until it was flushed as well.
 */
export class DeviceMmu implements DmaTranslator {
  readonly state: Shared<number>;
  /** Look-ups that found nothing, or too few rights. */
  faults = 0;
  readonly #pageSize: number;
  readonly #table = new Map<number, DeviceEntry>();
  readonly #tlb = new Map<number, DeviceEntry>();

  constructor(kernel: Kernel, name: string) {
    this.#pageSize = kernel.geometry.pageSize;
    this.state = kernel.sync.shared(`translations of ${name}`, 0);
  }

  /** Entries in the table. */
  get size(): number {
    return this.#table.size;
  }

  /** Writes one entry; the driver's lock is held. */
  *insert(address: UserAddress, page: Page, rights: "read-only" | "read-write"): Atomic<void> {
    yield* this.#change();
    this.#table.set(this.#pageOf(address), { page, isWritable: rights === "read-write", isDirty: false });
  }

  /** Takes the entries of `[start, end)` out of the table and answers with them; the TLB may still hold them. */
  *clear(start: UserAddress, end: UserAddress): Atomic<readonly DeviceEntry[]> {
    yield* this.#change();
    return this.#remove(this.#table, start, end);
  }

  /** Drops the translations of `[start, end)` from the TLB: when it returns the device uses none of them. */
  *flush(start: UserAddress, end: UserAddress): Atomic<void> {
    yield* this.#change();
    this.#remove(this.#tlb, start, end);
  }

  translate(address: UserAddress, access: DeviceAccess): Page | undefined {
    const page = this.#pageOf(address);
    const entry = this.#usable(this.#tlb.get(page), access) ?? this.#usable(this.#table.get(page), access);
    if (entry === undefined) {
      this.faults++;
      return undefined;
    }
    this.#tlb.set(page, entry);
    if (access === "write") entry.isDirty = true;
    return entry.page;
  }

  #usable(entry: DeviceEntry | undefined, access: DeviceAccess): DeviceEntry | undefined {
    return entry !== undefined && (entry.isWritable || access === "read") ? entry : undefined;
  }

  #remove(from: Map<number, DeviceEntry>, start: UserAddress, end: UserAddress): readonly DeviceEntry[] {
    const removed: DeviceEntry[] = [];
    for (const [page, entry] of from) {
      if (page < this.#pageOf(start) || page >= this.#pageOf(end)) continue;
      from.delete(page);
      removed.push(entry);
    }
    return removed;
  }

  #pageOf(address: UserAddress): number {
    return Math.floor(address / this.#pageSize);
  }

  *#change(): Atomic<void> {
    yield* this.state.update((changes) => changes + 1);
  }
}
