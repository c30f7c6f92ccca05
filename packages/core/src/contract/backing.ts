import type { AddressSpace } from "../mm/address-space.ts";
import type { CacheMode } from "./area.ts";
import type { Gate } from "./gate.ts";
import type { BusAddress, KernelAddress, Page, Pfn } from "./units.ts";

/** A run of frames `[pfn, pfn + pages)`, of I/O memory or of RAM that nobody counts. */
export interface PfnRun {
  readonly kind: "pfn-run";
  readonly pfn: Pfn;
}

/** Pages, one an index, that need not be neighbours; undefined is a hole. */
export interface PageArray {
  readonly kind: "page-array";
  readonly list: readonly (Page | undefined)[];
}

/** A buffer in the direct map, from `kmalloc` or `getFreePages`: its pages are neighbours. */
export interface LinearBuffer {
  readonly kind: "linear";
  readonly address: KernelAddress;
}

/** A buffer from `vmalloc`: its pages are reached only by walking the kernel's page table. */
export interface VmallocArea {
  readonly kind: "vmalloc";
  readonly address: KernelAddress;
}

/** Memory that CPU and device see alike, from `dmaAllocCoherent`; whether it has struct pages is the machine's affair. */
export interface CoherentArea {
  readonly kind: "coherent";
  readonly address: KernelAddress;
  readonly busAddress: BusAddress;
}

/** What a driver shows: a closed union, so that every strategy says which of them it can show. */
export type BackingMemory = PfnRun | PageArray | LinearBuffer | VmallocArea | CoherentArea;

export type BackingKind = BackingMemory["kind"];

/** Every kind, in the order in which lists show them. */
export const backingKinds: readonly BackingKind[] = [
  "pfn-run",
  "page-array",
  "linear",
  "vmalloc",
  "coherent",
];

/**
 * An object that a driver shows to user space, with the gate that closes while it must not be touched.
 *
 * Invariant: `pages` changes only while the gate is closed and the tail has been zapped.
 */
export interface Backing {
  readonly name: string;
  readonly memory: BackingMemory;
  /** Length in pages: object pages `[0, pages)` exist. */
  readonly pages: number;
  readonly cache: CacheMode;
  readonly gate: Gate;
  /** Where the reverse map finds every area that shows it. */
  readonly mapping: AddressSpace;
}
