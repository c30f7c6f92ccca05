import type { KernelAddress, Page, Pfn } from "../contract/units.ts";
import type { PageTable } from "../mmu/page-table.ts";
import { makePte, PTE_PRESENT, PTE_READ, PTE_SPECIAL, PTE_WRITE, ptePfn } from "../mmu/pte.ts";
import type { ViolationSink } from "../sanitize/violation.ts";
import type { AllocationGate } from "./allocation-gate.ts";
import type { Frames } from "./frames.ts";
import type { FreePages } from "./free-pages.ts";
import { hexAddress } from "./kernel-fault.ts";
import { owners } from "./owners.ts";
import { scatter } from "./scatter.ts";
import { type VmArea, type VmAreaKind, VmAreas } from "./vm-areas.ts";

const KERNEL_PAGE = PTE_PRESENT | PTE_READ | PTE_WRITE;

/**
 * Memory whose addresses are neighbours while its frames are not (mm/vmalloc.c, 6.1). A page of it is found only by
 * walking the kernel's own page table, `init_mm`'s, as the mail of 1997 does: nothing else here knows it.
 *
 * To catch whoever forgets that, two pages that are neighbours by address never are by frame, in that order.
 */
export class Vmalloc {
  /** Told when its addresses and entries are about to be changed or looked at. */
  onUse: ((use: "change" | "look") => void) | undefined = undefined;
  readonly #frames: Frames;
  readonly #pages: FreePages;
  readonly #initMm: PageTable;
  readonly #gate: AllocationGate;
  readonly #violations: ViolationSink;
  readonly #areas: VmAreas;
  readonly #pageSize: number;

  constructor(
    frames: Frames,
    pages: FreePages,
    initMm: PageTable,
    gate: AllocationGate,
    violations: ViolationSink,
  ) {
    this.#frames = frames;
    this.#pages = pages;
    this.#initMm = initMm;
    this.#gate = gate;
    this.#violations = violations;
    this.#areas = new VmAreas(initMm.geometry);
    this.#pageSize = initMm.geometry.pageSize;
  }

  /**
   * `bytes` bytes, rounded up to pages, contents whatever they were (`vmalloc`). Undefined, with everything given
   * back, when frames, page tables or addresses have run out, and for 0 bytes.
   */
  vmalloc(bytes: number): KernelAddress | undefined {
    return this.#allocate(bytes, "vmalloc")?.start;
  }

  /** `vmalloc`, zeroed, and meant to be shown to user space (`vmalloc_user`). */
  vmallocUser(bytes: number): KernelAddress | undefined {
    const area = this.#allocate(bytes, "vmalloc-user");
    if (area === undefined) return undefined;
    for (let at = 0; at < area.pages; at++) {
      this.#frames.clear(this.pfnOf((area.start + at * this.#pageSize) as KernelAddress) as Pfn);
    }
    return area.start;
  }

  /**
   * Frees what `vmalloc` and `vmallocUser` gave; 0 (NULL) is nothing to free. A page that somebody else has a
   * reference to lives on until their `put`.
   *
   * Reports an address where no such area begins, and changes nothing.
   */
  vfree(address: KernelAddress): void {
    if (address === 0) return;
    this.onUse?.("change");
    const area = this.#areas.find(address);
    if (area === undefined) {
      const kind = this.#inRange(address) ? "double-free" : "page-kind";
      this.#violations.report(kind, `vfree(${hexAddress(address)}): no vmalloc area there`, {
        object: areaAt(address),
      });
    } else if (area.kind === "mapping" || area.start !== address) {
      const reason = area.kind === "mapping" ? "a mapping of frames of others" : "in the middle of an area";
      this.#violations.report("page-kind", `vfree(${hexAddress(address)}): ${reason}`, {
        object: areaAt(address),
      });
    } else {
      this.#violations.remember?.(areaAt(address), "frees the area");
      for (const pfn of this.#remove(area)) this.#pages.freePages(pfn as Pfn as Page, 0);
    }
  }

  /**
   * Gives the run of frames `[pfn, pfn + pages)`, of any kind, addresses of its own (`vmap_pfn`, `memremap`).
   * Undefined when page tables or addresses have run out.
   */
  map(pfn: Pfn, pages: number): KernelAddress | undefined {
    this.onUse?.("change");
    const area = this.#areas.insert(pages, "mapping");
    if (area === undefined) return undefined;
    const first = area.start / this.#pageSize;
    for (let at = 0; at < pages; at++) {
      if (this.#enter(first + at, pfn + at, KERNEL_PAGE | PTE_SPECIAL)) continue;
      this.#remove(area);
      return undefined;
    }
    return area.start;
  }

  /** Takes back the addresses that `map` gave; the frames are the caller's. Reports where no such mapping begins. */
  unmap(address: KernelAddress): void {
    this.onUse?.("change");
    const area = this.#areas.find(address);
    if (area?.kind === "mapping" && area.start === address) {
      this.#violations.remember?.(areaAt(address), "unmaps the area");
      this.#remove(area);
    } else
      this.#violations.report("page-kind", `vunmap(${hexAddress(address)}): no mapping begins there`, {
        object: areaAt(address),
      });
  }

  /** The area that maps the address (`find_vm_area`); undefined in a guard page, too. */
  findVmArea(address: KernelAddress): VmArea | undefined {
    this.onUse?.("look");
    return this.#areas.find(address);
  }

  /** Every area, lowest first (`/proc/vmallocinfo`). */
  areas(): readonly VmArea[] {
    this.onUse?.("look");
    return this.#areas.list();
  }

  /**
   * The page under an address, found by walking `init_mm`'s page table down from the pgd (`vmalloc_to_page`, and by
   * hand in the mail of 1997); undefined for a hole. Takes no reference.
   *
   * Reports, and answers undefined, when the frame there has no struct page: `pte_page` of it would be a pointer to
   * something else.
   */
  vmallocToPage(address: KernelAddress): Page | undefined {
    const pfn = this.pfnOf(address);
    if (pfn === undefined || this.#frames.hasPage(pfn)) return pfn;
    const name = this.#frames.describe(pfn);
    this.#violations.report(
      "page-kind",
      `vmalloc_to_page(${hexAddress(address)}): ${name} has no struct page`,
      { frame: pfn },
    );
    return undefined;
  }

  /** The frame under an address, whatever its kind (`vmalloc_to_pfn`); undefined for a hole. */
  pfnOf(address: KernelAddress): Pfn | undefined {
    if (!this.#inRange(address)) return undefined;
    this.onUse?.("look");
    const entry = this.#initMm.entryOf(Math.floor(address / this.#pageSize));
    return entry === 0 ? undefined : ptePfn(entry);
  }

  /** Unmaps everything and forgets it, when the frames are reset as well. */
  reset(): void {
    const areas = this.#areas.list();
    for (let area = areas.at(-1); area !== undefined; area = areas.at(-1)) this.#remove(area);
  }

  #allocate(bytes: number, kind: VmAreaKind): VmArea | undefined {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) throw new RangeError(`${bytes} is not a size in bytes`);
    const pages = Math.ceil(bytes / this.#pageSize);
    if (pages === 0 || !this.#gate.mayAllocate("vmalloc") || pages > this.#frames.count) return undefined;
    this.onUse?.("change");
    const area = this.#areas.insert(pages, kind);
    if (area === undefined) return undefined;
    const taken = new Int32Array(pages);
    let count = 0;
    while (count < pages) {
      const page = this.#pages.allocPage(owners.vmalloc);
      if (page === undefined) break;
      taken[count++] = page;
    }
    let entered = 0;
    if (count === pages) {
      scatter(taken);
      const first = area.start / this.#pageSize;
      while (entered < pages && this.#enter(first + entered, taken[entered], KERNEL_PAGE)) entered++;
    }
    if (entered === pages) return area;
    this.#remove(area);
    for (let at = 0; at < count; at++) this.#pages.freePages(taken[at] as Pfn as Page, 0);
    return undefined;
  }

  #enter(vpn: number, pfn: number, flags: number): boolean {
    const slot = this.#initMm.ensure(vpn, 0);
    if (slot < 0) return false;
    this.#initMm.pool.write(slot, makePte(pfn, flags));
    return true;
  }

  /** Empties the entries of an area, frees its addresses, and answers the frames that were mapped. */
  #remove(area: VmArea): readonly number[] {
    const table = this.#initMm;
    const frames: number[] = [];
    const first = area.start / this.#pageSize;
    for (let vpn = first; vpn < first + area.pages; vpn++) {
      const slot = table.find(vpn);
      const entry = slot < 0 ? 0 : table.pool.read(slot);
      if (entry === 0) continue;
      frames.push(ptePfn(entry));
      table.pool.write(slot, 0);
    }
    table.freeEmptyTables(first, first + area.pages);
    this.#areas.remove(area);
    return frames;
  }

  #inRange(address: KernelAddress): boolean {
    const { vmallocStart, vmallocEnd } = this.#initMm.geometry;
    return address >= vmallocStart && address < vmallocEnd;
  }
}

/** An area as reports name it. */
function areaAt(address: KernelAddress): string {
  return `vmalloc area at ${hexAddress(address)}`;
}
