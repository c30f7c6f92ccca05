import type { Area } from "./area.ts";
import type { MayInterleave, MaySleep } from "./execution.ts";
import type { FaultOutcome, PfnOutcome } from "./outcome.ts";
import type { UserAddress } from "./units.ts";

/** One page fault, as a hook sees it (`struct vm_fault`). Valid until the hook has answered. */
export interface Fault {
  readonly area: Area;
  /** The page-aligned address that was touched. */
  readonly address: UserAddress;
  /** The object's page that the address shows: `area.pgoff` plus the pages from `area.start`, after any split or move. */
  readonly pgoff: number;
  readonly access: "read" | "write";
  /**
   * The backing's gate when the core asked. The core looks again under the page-table lock before it writes an entry
   * that the hook answered with, so a hook may act on this without a lock of its own.
   */
  readonly gate: "open" | "closed" | "gone";
  /** Whether `retry` may be answered (`FAULT_FLAG_ALLOW_RETRY`). */
  readonly mayRetry: boolean;
}

/**
 * What a driver's area can do (`struct vm_operations_struct`). All are optional; a hook that neither sleeps nor
 * touches shared state may be a plain function.
 *
 * All but `access` run with the mmap lock held and may sleep; none may take the mmap lock.
 */
export interface VmOps {
  /** Shown in errors and events. */
  readonly name: string;

  /**
   * A new area came to be by split, move or fork; not called for the area that mmap itself makes. At fork it runs
   * before the reverse map can find the child's area. An area may also change its bounds without any hook being asked:
   * when mremap grows it, and, without `close`, when it is joined with its neighbours (see `StrategyHooks.mmap`). So
   * what an area has is looked up by `pgoff`, and not remembered by its bounds.
   */
  open?(area: Area): MaySleep<void>;

  /**
   * The area goes away; none of its entries is left. The file is still open.
   *
   * To have this hook is to keep every mapping an area of its own, so that there are as many of `close` as of `mmap` and
   * `open`; a strategy that counts areas has it, be it empty. All areas of one file have it or none: one that alone has it
   * between two without is used up by them when mprotect, mlock or madvise makes the three alike, and its `close` never
   * runs (as in Linux before 6.12, whose `vma_merge` looks at the neighbours only).
   */
  close?(area: Area): MaySleep<void>;

  /**
   * A page was touched that has no entry (Linux: `fault`; before 2.6.23 `nopage`). Answers with what to map. For a
   * `page`, the hook hands over one reference.
   */
  nopage?(fault: Fault): MaySleep<FaultOutcome>;

  /**
   * The same for memory without struct page, asked first where both are given (proposed as `nopage_dma` in the 2004
   * mail; 2.6.19 to 2.6.25: `nopfn`; now `fault` with `vmf_insert_pfn`). The entry is special: counted nowhere.
   */
  nopagePfn?(fault: Fault): MaySleep<PfnOutcome>;

  /**
   * A read-only shared entry is about to become writable (`page_mkwrite`, `pfn_mkwrite`). `installed` lets it pass.
   */
  mkwrite?(fault: Fault): MaySleep<FaultOutcome>;

  /** The area is about to be split at `address` (`may_split`): 0, or a negated errno that vetoes it. */
  maySplit?(area: Area, address: UserAddress): MayInterleave<number>;

  /** The area was moved here and its entries with it (`mremap`): 0, or a negated errno that moves it back. */
  mremap?(area: Area): MaySleep<number>;

  /** The protection of `[start, end)` is about to become `flags` (`mprotect`): 0, or a negated errno. */
  mprotect?(area: Area, start: UserAddress, end: UserAddress, flags: number): MaySleep<number>;

  /**
   * A debugger reads or writes memory that has no struct page (`access`, as `generic_access_phys`): the bytes moved,
   * or a negated errno.
   */
  access?(
    area: Area,
    address: UserAddress,
    buffer: Uint8Array,
    direction: "read" | "write",
  ): MaySleep<number>;
}
