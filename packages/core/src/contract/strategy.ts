import type { Area } from "./area.ts";
import type { Backing, BackingKind } from "./backing.ts";
import type { MaySleep } from "./execution.ts";
import type { Kernel } from "./kernel.ts";
import type { VmOps } from "./vm-ops.ts";

/**
 * What a strategy can do: constant data with every field written out, so that it can be listed, chosen by, and
 * checked. Claiming less than the truth is as wrong as claiming more.
 */
export interface StrategySupports {
  /** When entries are made: all at mmap, or one at the first touch of its page. */
  readonly populate: "eager" | "lazy";
  /** The kinds of backing that it can show. */
  readonly backing: readonly BackingKind[];
  /** What a thread meets that touches a revoked mapping: it waits until the gate opens, or gets SIGBUS. */
  readonly whileRevoked: "wait" | "sigbus";
  /** Whether mremap may grow a mapping; pages past the object's end are then SIGBUS. */
  readonly mremapGrow: boolean;
  /** Whether a backing may have holes. */
  readonly holes: boolean;
  /** Whether it maps with large leaves where size and alignment allow. */
  readonly largeLeaves: boolean;
  /**
   * The kinds of backing, out of those above, whose mapped pages are counted: references, rss, get_user_pages. Bare
   * pfns never are.
   */
  readonly countsPages: readonly BackingKind[];
  /**
   * The kinds of backing, out of those above, of which a private writable mapping is accepted; the writer then gets a
   * copy. Of a bare pfn that a fault maps there can be none (PF-01).
   */
  readonly privateWritable: readonly BackingKind[];
}

/**
 * The strategy at work for one device. At most five things to write: `mmap`, `revoke`, `restore`, and in the
 * operations that `mmap` answers with, `nopage` or `nopagePfn` and `open`/`close` where it keeps accounts.
 */
export interface StrategyHooks {
  /**
   * The driver's mmap hook. Called with the mmap lock held for writing, after the core has checked that the area
   * lies inside the object. On failure everything that it mapped is zapped by the core, and neither `open` nor
   * `close` runs for the area.
   *
   * Not every mmap gets here. A new mapping that goes on where a mapping of the same open file next to it ends, or that
   * ends where one begins, with the same flags, becomes part of that area and nobody is asked (`vma_merge` comes before
   * `call_mmap` in `__mmap_region`, 6.1): not this hook, and not the core whether the new part lies inside the object or
   * the device is gone. So a hook for faults checks `fault.pgoff` and `fault.gate` every time, and answers SIGBUS, as it
   * must for a mapping that mremap has grown. State kept per area is then state of more pages than mmap was asked for. An
   * area with a `close` hook is never joined to its neighbours, nor is one with a flag of VM_SPECIAL (VM_IO, VM_PFNMAP,
   * VM_MIXEDMAP, VM_DONTEXPAND): every insertion sets one, so that a strategy which maps all at mmap is always asked.
   *
   * @returns the operations of the area, or a negated errno: -EAGAIN when the mapping cannot be made now, -EINVAL when
   *   it never can
   */
  mmap(area: Area, backing: Backing): MaySleep<VmOps | number>;

  /**
   * Removes what mappings of the backing hold at present, in every process. Called after the gate was closed. Left
   * out, the core zaps them through the reverse map.
   */
  revoke?(backing: Backing): MaySleep<void>;

  /**
   * Makes the mappings usable again after the gate was opened; left out by strategies that map at the next touch.
   */
  restore?(backing: Backing): MaySleep<void>;
}

/** A way for a driver to show memory to user space: the plugin. */
export interface MappingStrategy {
  readonly name: string;
  readonly supports: StrategySupports;
  /** Makes the hooks for one device; state that they share lives here. */
  create(kernel: Kernel): StrategyHooks;
}

/** Declares a strategy; the identity function, for inference and a place to hover on. */
export function defineStrategy<S extends MappingStrategy>(strategy: S): S {
  return strategy;
}
