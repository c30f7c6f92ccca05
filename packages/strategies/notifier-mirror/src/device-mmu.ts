import type { Shared } from "@nopage/core";
import {
  type Atomic,
  type DeviceAccess,
  type DmaTranslator,
  ENOMEM,
  type Kernel,
  type KernelAddress,
  type Page,
  type UserAddress,
} from "@nopage/core/contract";

/** Bytes of an entry, as the device reads it. */
const ENTRY_BYTES = 8;
/** Entries of one table. */
const TABLE_ENTRIES = 64;

/** One secondary entry. */
export interface DeviceEntry {
  readonly page: Page;
  isWritable: boolean;
  /** Set by the device when it stores through the entry. */
  isDirty: boolean;
}

/**
 * A device's own page table for one process, and the TLB in front of it. The driver writes the table and flushes the
 * TLB; the device only looks. What was taken out of the table is in use until it was flushed as well.
 */
export class DeviceMmu implements DmaTranslator {
  readonly state: Shared<number>;
  /** Accesses for which there was nothing, or too few rights. */
  faults = 0;
  readonly #kernel: Kernel;
  readonly #pageSize: number;
  readonly #table = new Map<number, DeviceEntry>();
  readonly #tlb = new Map<number, DeviceEntry>();
  /** The memory that the entries lie in, by their number divided by `TABLE_ENTRIES`; freed with its last entry. */
  readonly #memory = new Map<number, { readonly at: KernelAddress; entries: number }>();

  constructor(kernel: Kernel, name: string) {
    this.#kernel = kernel;
    this.#pageSize = kernel.geometry.pageSize;
    this.state = kernel.sync.shared(`translations of ${name}`, 0);
  }

  /** Entries in the table. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Writes one entry; the driver's lock is held. Where the page is there already, its entry keeps what the device has
   * written, and the wider right: had the process lost it, the entry would have been taken away.
   *
   * @returns 0, or -ENOMEM when there is no memory for a table
   */
  *insert(address: UserAddress, page: Page, rights: "read-only" | "read-write"): Atomic<number> {
    yield* this.#change();
    const index = this.#pageOf(address);
    const isWritable = rights === "read-write";
    const known = this.#table.get(index);
    if (known === undefined && !this.#makeRoom(index)) return -ENOMEM;
    if (known?.page === page) known.isWritable ||= isWritable;
    else {
      this.#tlb.delete(index);
      this.#table.set(index, { page, isWritable, isDirty: false });
    }
    return 0;
  }

  /** Takes the entries of `[start, end)` out of the table and answers with them; the TLB may still hold them. */
  *clear(start: UserAddress, end: UserAddress): Atomic<readonly DeviceEntry[]> {
    yield* this.#change();
    const removed = this.#remove(this.#table, start, end);
    for (const [index] of removed) this.#giveBackRoom(index);
    return removed.map(([, entry]) => entry);
  }

  /** Drops the translations of `[start, end)` from the TLB: when it returns the device uses none of them. */
  *flush(start: UserAddress, end: UserAddress): Atomic<void> {
    yield* this.#change();
    this.#remove(this.#tlb, start, end);
  }

  translate(address: UserAddress, access: DeviceAccess): Page | undefined {
    const page = this.#pageOf(address);
    const entry = this.#find(page, access);
    if (entry !== undefined) this.#tlb.set(page, entry);
    return entry?.page;
  }

  accessed(address: UserAddress, access: DeviceAccess): void {
    const entry = this.#find(this.#pageOf(address), access);
    if (entry === undefined) this.faults++;
    else if (access === "write") entry.isDirty = true;
  }

  #find(page: number, access: DeviceAccess): DeviceEntry | undefined {
    return this.#usable(this.#tlb.get(page), access) ?? this.#usable(this.#table.get(page), access);
  }

  #usable(entry: DeviceEntry | undefined, access: DeviceAccess): DeviceEntry | undefined {
    return entry !== undefined && (entry.isWritable || access === "read") ? entry : undefined;
  }

  /** Counts an entry more in the memory of its table, which is taken for the first of them. */
  #makeRoom(index: number): boolean {
    const table = Math.floor(index / TABLE_ENTRIES);
    const known = this.#memory.get(table);
    if (known !== undefined) {
      known.entries++;
      return true;
    }
    const at = this.#kernel.memory.kmalloc.kzalloc(TABLE_ENTRIES * ENTRY_BYTES);
    if (at !== undefined) this.#memory.set(table, { at, entries: 1 });
    return at !== undefined;
  }

  #giveBackRoom(index: number): void {
    const table = Math.floor(index / TABLE_ENTRIES);
    const known = this.#memory.get(table);
    if (known === undefined || --known.entries > 0) return;
    this.#memory.delete(table);
    this.#kernel.memory.kmalloc.kfree(known.at);
  }

  #remove(
    from: Map<number, DeviceEntry>,
    start: UserAddress,
    end: UserAddress,
  ): readonly (readonly [number, DeviceEntry])[] {
    const removed: (readonly [number, DeviceEntry])[] = [];
    for (const [page, entry] of from) {
      if (page < this.#pageOf(start) || page >= this.#pageOf(end)) continue;
      from.delete(page);
      removed.push([page, entry]);
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
