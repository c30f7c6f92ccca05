import type { Atomic, DeviceAccess, Kernel, Page, Shared, UserAddress } from "@nopage/core";

interface Translation {
  readonly page: Page;
  readonly isWritable: boolean;
  isDirty: boolean;
}

/** A device's page table for one process, and the TLB in front of it: what is cleared is in use until it is flushed. */
export class DeviceTable {
  readonly state: Shared<number>;
  readonly #pageSize: number;
  readonly #table = new Map<number, Translation>();
  readonly #tlb = new Map<number, Translation>();

  constructor({ geometry, sync }: Kernel, name: string) {
    this.#pageSize = geometry.pageSize;
    this.state = sync.shared(`translations of ${name}`, 0);
  }

  *insert(address: UserAddress, page: Page, isWritable: boolean): Atomic<void> {
    yield* this.state.update((changes) => changes + 1);
    this.#tlb.delete(this.#pageOf(address));
    this.#table.set(this.#pageOf(address), { page, isWritable, isDirty: false });
  }

  /** Takes `[start, end)` out of the table: the pages that the device has written to. */
  *clear(start: UserAddress, end: UserAddress): Atomic<readonly Page[]> {
    yield* this.state.update((changes) => changes + 1);
    const gone = this.#remove(this.#table, start, end);
    return gone.flatMap(({ page, isDirty }) => (isDirty ? [page] : []));
  }

  *flush(start: UserAddress, end: UserAddress): Atomic<void> {
    yield* this.state.update((changes) => changes + 1);
    this.#remove(this.#tlb, start, end);
  }

  translate(address: UserAddress, access: DeviceAccess): Page | undefined {
    const found = this.#find(address, access);
    if (found !== undefined) this.#tlb.set(this.#pageOf(address), found);
    return found?.page;
  }

  accessed(address: UserAddress, access: DeviceAccess): void {
    const found = this.#find(address, access);
    if (found !== undefined && access === "write") found.isDirty = true;
  }

  #find(address: UserAddress, access: DeviceAccess): Translation | undefined {
    const page = this.#pageOf(address);
    return [this.#tlb.get(page), this.#table.get(page)].find(
      (known) => known !== undefined && (known.isWritable || access === "read"),
    );
  }

  #remove(from: Map<number, Translation>, start: UserAddress, end: UserAddress): readonly Translation[] {
    const gone = [...from].filter(([page]) => page >= this.#pageOf(start) && page < this.#pageOf(end));
    for (const [page] of gone) from.delete(page);
    return gone.map(([, translation]) => translation);
  }

  #pageOf(address: UserAddress): number {
    return Math.floor(address / this.#pageSize);
  }
}
