import sortedBtree from "sorted-btree";
import type { Vma } from "./vma.ts";

// The package is CommonJS: Node gives its exports as one default.
const { default: BTree } = sortedBtree;

/** The areas of one mm in order of address (`mm_mt`): they never overlap. Guarded by the mm's mmap lock. */
export class AreaMap {
  // Private to TypeScript only: see `NopageCall`.
  private readonly byEnd = new BTree<number, Vma>();
  /** Where the tree puts what it finds, so that no look-up makes an object. */
  private readonly pair: [number, Vma | undefined] = [0, undefined];
  /** The area that the last look-up found (`vmacache`). */
  private lastHit: Vma | undefined = undefined;

  get size(): number {
    return this.byEnd.size;
  }

  insert(area: Vma): void {
    this.byEnd.set(area.end, area);
    area.isLinked = true;
  }

  remove(area: Vma): void {
    this.byEnd.delete(area.end);
    area.isLinked = false;
    this.lastHit = undefined;
  }

  /** Changes the bounds of an area in place; it must not come to overlap another. */
  resize(area: Vma, start: number, end: number, pgoff: number): void {
    this.byEnd.delete(area.end);
    area.start = start as Vma["start"];
    area.end = end as Vma["end"];
    area.pgoff = pgoff;
    this.byEnd.set(area.end, area);
    this.lastHit = undefined;
  }

  /** The first area that ends above `address` (`find_vma`): it contains the address or lies above it. */
  findEndingAbove(address: number): Vma | undefined {
    const hit = this.lastHit;
    if (hit !== undefined && address >= hit.start && address < hit.end) return hit;
    const found = this.byEnd.nextHigherPair(address, this.pair as [number, Vma])?.[1];
    this.lastHit = found;
    return found;
  }

  /** The area that contains `address` (`vma_lookup`). */
  find(address: number): Vma | undefined {
    const hit = this.lastHit;
    if (hit !== undefined && address >= hit.start && address < hit.end) return hit;
    const area = this.findEndingAbove(address);
    return area !== undefined && area.start <= address ? area : undefined;
  }

  /** The areas that touch `[start, end)`, ascending. */
  overlapping(start: number, end: number): Vma[] {
    const found: Vma[] = [];
    for (const area of this.byEnd.values(start + 1)) {
      if (area.start >= end) break;
      found.push(area);
    }
    return found;
  }

  /** All areas, ascending. */
  all(): Vma[] {
    return this.byEnd.valuesArray();
  }

  /**
   * The highest gap of `length` bytes below `top` and above `bottom` (`vm_unmapped_area`, top-down): its first byte,
   * or -1. `alignment` is in bytes.
   */
  findGapBelow(top: number, bottom: number, length: number, alignment: number): number {
    let high = top;
    for (;;) {
      const candidate = Math.floor((high - length) / alignment) * alignment;
      if (candidate < bottom) return -1;
      const inTheWay = this.findEndingAbove(candidate);
      if (inTheWay === undefined || inTheWay.start >= candidate + length) return candidate;
      high = inTheWay.start;
    }
  }
}
