import type { Area, CacheMode } from "../contract/area.ts";
import { VM_ACCESS_FLAGS, VM_SHARED, VM_WRITE } from "../contract/area-flags.ts";
import type { Backing } from "../contract/backing.ts";
import type { MappableArea, OpenFile } from "../contract/file.ts";
import type { UserAddress } from "../contract/units.ts";
import type { VmOps } from "../contract/vm-ops.ts";
import { PTE_PRESENT, PTE_READ, PTE_UNCACHED, PTE_WRITE, PTE_WRITE_COMBINING } from "../mmu/pte.ts";
import type { AddressSpace } from "./address-space.ts";
import { Lineage, lineageFor } from "./lineage.ts";
import type { Mm } from "./mm.ts";

/** What a new area is made from. */
export interface VmaShape {
  readonly start: number;
  readonly end: number;
  readonly pgoff: number;
  readonly flags: number;
  readonly file: OpenFile | undefined;
}

/** The core's side of an area: see `Area` for what a plugin may do with it. */
export class Vma implements Area, MappableArea {
  readonly id: number;
  readonly mm: Mm;
  start: UserAddress;
  end: UserAddress;
  pgoff: number;
  /**
   * What `pgoff` counts from: 0 as long as it counts pages of the object; once a private remap has made it count frames
   * (RE-03), the frame that the object's first page had then.
   */
  numbering = 0;
  flags: number;
  cache: CacheMode = "cached";
  privateData: unknown = undefined;
  readonly file: OpenFile | undefined;
  mapping: AddressSpace | undefined;
  ops: VmOps | undefined = undefined;
  /** What is shown here through a strategy; its gate is looked at before every insertion. */
  backing: Backing | undefined = undefined;
  /** Whether stores reach private memory of this mm only, made of zero pages: an area without a file. */
  readonly isAnonymous: boolean;
  /** Whose private pages are here (`anon_vma`); undefined until the first is made. */
  lineage: Lineage | undefined = undefined;
  /** The area stands in its mm's map: false before mmap has finished and after munmap. */
  isLinked = false;

  constructor(mm: Mm, shape: VmaShape) {
    this.id = mm.machine.nextAreaId++;
    this.mm = mm;
    this.start = shape.start as UserAddress;
    this.end = shape.end as UserAddress;
    this.pgoff = shape.pgoff;
    this.flags = shape.flags;
    this.file = shape.file;
    this.mapping = shape.file?.inode.mapping;
    this.isAnonymous = shape.file === undefined;
  }

  get pages(): number {
    return (this.end - this.start) * this.mm.perPage;
  }

  /** Whether any private copy was ever made here. */
  get hasPrivateCopies(): boolean {
    return this.lineage !== undefined;
  }

  /** To be called before a private copy is made here (`anon_vma_prepare`). */
  prepareLineage(): void {
    this.lineage ??= lineageFor(this);
  }

  /** All private copies are gone for good, and the next is the first again (`unlink_anon_vmas`). */
  clearLineage(): void {
    this.lineage = undefined;
  }

  get isShared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }

  /** The object's page that `address` shows (`linear_page_index`). */
  pgoffOf(address: number): number {
    return this.pgoff + Math.floor((address - this.start) * this.mm.perPage);
  }

  /** Where object page `pgoff` would be shown, inside the area or not. */
  addressOf(pgoff: number): UserAddress {
    return (this.start + (pgoff - this.pgoff) * this.mm.pageSize) as UserAddress;
  }

  /**
   * The flags of a new entry here (`vm_page_prot`). Whatever allows anything allows loads, as on x86. Stores are let
   * through when the area is shared, unless the driver wants to be asked first (`vma_wants_writenotify`, FR-15).
   */
  pteFlags(): number {
    let flags = PTE_PRESENT;
    if ((this.flags & VM_ACCESS_FLAGS) !== 0) flags |= PTE_READ;
    const writable = VM_WRITE | VM_SHARED;
    if ((this.flags & writable) === writable && this.ops?.mkwrite === undefined) flags |= PTE_WRITE;
    if (this.cache === "cached") return flags;
    return flags | (this.cache === "uncached" ? PTE_UNCACHED : PTE_WRITE_COMBINING);
  }

  /** A copy for another range or another mm (`vm_area_dup`); it is not linked anywhere yet. */
  duplicate(mm: Mm, start: number, end: number, pgoff: number): Vma {
    const copy = new Vma(mm, { start, end, pgoff, flags: this.flags, file: this.file });
    copy.numbering = this.numbering;
    copy.cache = this.cache;
    copy.privateData = this.privateData;
    copy.mapping = this.mapping;
    copy.ops = this.ops;
    copy.backing = this.backing;
    const isChild = mm !== this.mm && this.lineage !== undefined;
    copy.lineage = isChild ? new Lineage("inherited") : this.lineage;
    return copy;
  }

  toString(): string {
    const what = this.ops?.name ?? (this.isAnonymous ? "anonymous" : "no operations");
    return `area ${this.id} [0x${this.start.toString(16)}, 0x${this.end.toString(16)}) of ${this.mm.name} (${what})`;
  }
}
