import type { KernelAddress } from "../contract/units.ts";
import type { Geometry } from "../mmu/geometry.ts";

/**
 * What an area of the kernel's mapped addresses shows.
 *
 * - `vmalloc`: pages of its own.
 * - `vmalloc-user`: the same, zeroed, and meant for `remapVmallocRange` (`VM_USERMAP`).
 * - `mapping`: frames that belong to somebody else (`VM_MAP`, `VM_IOREMAP`), such as coherent memory without struct
 *   page.
 */
export type VmAreaKind = "vmalloc" | "vmalloc-user" | "mapping";

/** An area of the kernel's mapped addresses (`struct vm_struct`). */
export interface VmArea {
  readonly kind: VmAreaKind;
  /** First address, page-aligned. */
  readonly start: KernelAddress;
  /** End of what is mapped, exclusive; the page from here on is the guard and maps nothing. */
  readonly end: KernelAddress;
  /** Pages of `[start, end)` (`get_vm_area_size`, which leaves the guard out). */
  readonly pages: number;
}

/**
 * Which addresses between `vmallocStart` and `vmallocEnd` are taken (`alloc_vmap_area`, mm/vmalloc.c): first fit,
 * lowest address first, with a guard page after each area. Knows nothing of what is mapped there.
 */
export class VmAreas {
  readonly #pageSize: number;
  readonly #start: number;
  readonly #end: number;
  /** Ordered by start. */
  readonly #areas: VmArea[] = [];
  /** The first so many areas lie without a gap from `vmallocStart` on, so that no search need look there. */
  #packed = 0;

  constructor(geometry: Geometry) {
    this.#pageSize = geometry.pageSize;
    this.#start = geometry.vmallocStart;
    this.#end = geometry.vmallocEnd;
  }

  /** Takes the lowest free range for `pages` pages and their guard; undefined when there is none. */
  insert(pages: number, kind: VmAreaKind): VmArea | undefined {
    const bytes = pages * this.#pageSize;
    let at = this.#packed;
    let start = at === 0 ? this.#start : this.#afterGuard(at - 1);
    while (at < this.#areas.length && this.#areas[at].start < start + bytes + this.#pageSize) {
      start = this.#afterGuard(at);
      at++;
    }
    if (start + bytes + this.#pageSize > this.#end) return undefined;
    const area: VmArea = {
      kind,
      start: start as KernelAddress,
      end: (start + bytes) as KernelAddress,
      pages,
    };
    this.#areas.splice(at, 0, area);
    while (this.#packed < this.#areas.length && this.#startsPacked(this.#packed)) this.#packed++;
    return area;
  }

  /** Frees the range of an area. */
  remove(area: VmArea): void {
    const at = this.#indexAt(area.start);
    this.#areas.splice(at, 1);
    this.#packed = Math.min(this.#packed, at);
  }

  /** The area that maps the address; undefined between areas, in a guard page and outside. */
  find(address: KernelAddress): VmArea | undefined {
    const area = this.#areas[this.#indexAt(address)] as VmArea | undefined;
    return area !== undefined && address < area.end ? area : undefined;
  }

  /** Every area, lowest first (`/proc/vmallocinfo`). */
  list(): readonly VmArea[] {
    return this.#areas;
  }

  #afterGuard(at: number): number {
    return this.#areas[at].end + this.#pageSize;
  }

  #startsPacked(at: number): boolean {
    return this.#areas[at].start === (at === 0 ? this.#start : this.#afterGuard(at - 1));
  }

  /** Index of the last area that starts at or below the address; -1 when there is none. */
  #indexAt(address: number): number {
    let low = 0;
    let high = this.#areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#areas[middle].start <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
