import type { AddressSpace } from "../mm/address-space.ts";
import type { Mm } from "../mm/mm.ts";
import type { OpenFile } from "./file.ts";
import type { UserAddress } from "./units.ts";
import type { VmOps } from "./vm-ops.ts";

/** How the CPU may cache what an area shows (`vm_page_prot`'s cache bits). */
export type CacheMode = "cached" | "uncached" | "write-combining";

/**
 * A contiguous range of a process's addresses that one object is shown in (`struct vm_area_struct`), as a plugin
 * sees it.
 *
 * - Valid from the hook that receives it until its `close` has returned, and used only with the mm's lock held:
 *   the mmap hook holds it for writing, a fault for reading, `close` for either (LC-20).
 * - What the mmap hook may change: `flags` (never adding VM_MAYWRITE), `pgoff`, `cache` and `privateData`. The
 *   bounds belong to the core.
 * - Split, move and fork make new areas with the same `privateData`: what it points at must count its users in
 *   `open` and `close`.
 */
export interface Area {
  /** Unique in the machine, in order of creation. */
  readonly id: number;
  readonly mm: Mm;
  /** First byte. */
  readonly start: UserAddress;
  /** One past the last byte: the area is `[start, end)`. */
  readonly end: UserAddress;
  /** Pages from `start` to `end`. */
  readonly pages: number;
  /** The object's page that `start` shows; the reverse map searches by it. */
  pgoff: number;
  /** VM_* bits. Changed only with the mmap lock held for writing. */
  flags: number;
  cache: CacheMode;
  privateData: unknown;
  /** The open file that the area keeps alive; undefined for anonymous memory. */
  readonly file: OpenFile | undefined;
  /** Where the reverse map keeps this area: the file's inode, or what the driver redirected it to. */
  readonly mapping: AddressSpace | undefined;
  readonly ops: VmOps | undefined;
}
