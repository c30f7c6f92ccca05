import {
  isAccountable,
  MAY_SHIFT,
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_SHARED,
  VM_SPECIAL,
  VM_WRITE,
} from "../contract/area-flags.ts";
import { EACCES, EAGAIN, EEXIST, EINVAL, ENODEV, ENOMEM, EOVERFLOW } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { OpenFile } from "../contract/file.ts";
import { callErrnoHook } from "./call-hook.ts";
import { mergeNewRange, mergeRange } from "./merge.ts";
import type { Mm } from "./mm.ts";
import { clearAreas, isUserRange, pageAlign, unlink, unmapLocked, wordLimitOf } from "./munmap.ts";
import { populate } from "./populate.ts";
import { Vma } from "./vma.ts";

/** The arguments of `mmap(2)`, in the words of its manual page. */
export interface MmapRequest {
  /** A hint, or the place itself with `fixed`; in bytes. Left out, the kernel chooses. */
  readonly address?: number;
  /** In bytes; rounded up to pages. */
  readonly length: number;
  /** VM_READ, VM_WRITE, VM_EXEC. */
  readonly protection: number;
  readonly sharing: "shared" | "private";
  /** MAP_FIXED, MAP_FIXED_NOREPLACE, or neither. */
  readonly placement?: "hint" | "fixed" | "fixed-noreplace";
  /** MAP_LOCKED. */
  readonly locking?: "unlocked" | "locked";
  /** MAP_POPULATE. */
  readonly populating?: "on-demand" | "populate";
  /** The object's page that the mapping starts with; an offset in bytes that is not whole pages is a fraction of one. */
  readonly pgoff?: number;
}

/**
 * `mmap(2)`: checks the arguments, removes what a fixed mapping covers, and asks the driver, unless an area next to the
 * place can take the mapping in (`mergeNewRange`). Of several things that are wrong the first one in the order of
 * `do_mmap` and `get_unmapped_area` (mm/mmap.c, 6.1) is the answer.
 *
 * @param file the open file to show; undefined for anonymous memory
 * @returns the address, or a negated errno: -EINVAL for an empty or unaligned range; -ENOMEM for one beyond the address
 *   space, for too many areas, or when what a fixed mapping covers could not be removed; -EOVERFLOW for an offset beyond
 *   what the kind of file may have; -EACCES, -ENODEV, -EEXIST, -EAGAIN; or what the driver's hook answered
 */
export function* mmap(mm: Mm, request: MmapRequest, file: OpenFile | undefined): Sleepable<number> {
  const { machine } = mm;
  if (request.length <= 0) return -EINVAL;
  const length = pageAlign(mm, request.length);
  if (length === 0) return -ENOMEM;
  if ((request.pgoff ?? 0) + length * mm.perPage >= wordLimitOf(machine.geometry)) return -EOVERFLOW;

  yield* mm.lock.write();
  const result = yield* mapLocked(mm, request, file, length);
  mm.lock.unlockWrite();
  if (result < 0) return result;
  machine.log.record("mmap", mm.id, result, length * mm.perPage);
  const area = mm.areas.find(result);
  const mustPopulate =
    request.populating === "populate" || (area !== undefined && (area.flags & VM_LOCKED) !== 0);
  if (mustPopulate) yield* populate(mm, result, result + length, "ignore");
  return result;
}

function* mapLocked(
  mm: Mm,
  request: MmapRequest,
  file: OpenFile | undefined,
  length: number,
): Sleepable<number> {
  const { machine } = mm;
  if (mm.areas.size > machine.settings.maxAreas) return -ENOMEM;
  const address = findRange(mm, request, length);
  if (address < 0) return address;
  if (
    request.locking === "locked" &&
    mm.lockedPages + length * mm.perPage > machine.settings.lockLimitPages
  ) {
    return -EAGAIN;
  }
  if (file !== undefined && isBeyondFile(mm, file, request.pgoff ?? 0, length)) return -EOVERFLOW;
  const asked = areaFlags(request, file);
  if (asked < 0) return asked;
  // What a ghost holds is given back piece by piece, without memory for splitting an area.
  const charged = isAccountable(asked) ? asked | VM_ACCOUNT : asked;
  const flags = mm.isGhost ? charged | VM_DONTEXPAND : charged;
  if (file !== undefined && file.operations.mmap === undefined) return -ENODEV;

  if ((yield* unmapLocked(mm, address, length)) !== 0) return -ENOMEM;
  const end = address + length;
  const pgoff = file === undefined ? anonymousPgoff(mm, request, address) : (request.pgoff ?? 0);
  const joined = yield* mergeNewRange(mm, { start: address, end, flags, file, pgoff, lineage: undefined });
  if (joined !== undefined) {
    charge(mm, flags, length * mm.perPage);
    return address;
  }
  if (!machine.mayAllocateArea()) return -ENOMEM;
  const isSharedMemory = file === undefined && request.sharing === "shared";
  const backingFile = isSharedMemory ? machine.sharedMemory.createUnnamed(length) : file;
  if (isSharedMemory && backingFile === undefined) return -ENOMEM;
  const area = new Vma(mm, { start: address, end, pgoff, flags, file: backingFile });
  if (backingFile !== undefined) {
    if (file !== undefined) machine.keepFile(file);
    const refusal = yield* askDriver(area, backingFile);
    if (refusal !== 0) return refusal;
    if (area.flags !== flags && (yield* mergeAsked(area))) return address;
  }
  yield* link(area);
  return address;
}

/**
 * Whether a mapping would reach beyond what its kind of file can have (`file_mmap_ok`): of a device all bytes that an
 * `unsigned long` counts, of a memory file as many as a file size (`MAX_LFS_FILESIZE`): half of that on 64 bits, and
 * a whole `unsigned long` of pages on 32. The last page of all is out of reach.
 */
function isBeyondFile(
  { machine, pageSize, perPage }: Mm,
  file: OpenFile,
  pgoff: number,
  length: number,
): boolean {
  const wordLimit = wordLimitOf(machine.geometry);
  let bytes = wordLimit;
  if (machine.sharedMemory.isMemory(file))
    bytes = wordLimit === 2 ** 32 ? wordLimit * pageSize : wordLimit / 2;
  return pgoff + length * perPage >= bytes / pageSize;
}

/** Anonymous memory is numbered by its address, so that neighbours fit together; shared from 0 (`do_mmap`). */
function anonymousPgoff(mm: Mm, { sharing }: MmapRequest, address: number): number {
  return sharing === "shared" ? 0 : address * mm.perPage;
}

/** Where the mapping goes: the caller's place, or the highest free range (`get_unmapped_area`). */
function findRange(mm: Mm, request: MmapRequest, length: number): number {
  const { machine } = mm;
  const { userEnd } = machine.geometry;
  const hint = request.address ?? 0;
  if (request.placement === "fixed" || request.placement === "fixed-noreplace") {
    if (hint < 0 || hint > userEnd - length) return -ENOMEM;
    if (hint % mm.pageSize !== 0) return -EINVAL;
    const isTaken = mm.areas.overlapping(hint, hint + length).length > 0;
    return isTaken && request.placement === "fixed-noreplace" ? -EEXIST : hint;
  }
  const wished = Math.floor(hint / mm.pageSize) * mm.pageSize;
  if (
    wished > 0 &&
    isUserRange(mm, wished, length) &&
    mm.areas.overlapping(wished, wished + length).length === 0
  ) {
    return wished;
  }
  return findFreeRange(mm, length, machine.alignmentFor(length));
}

/**
 * The highest free range below the last one handed out in the low zone; without room there, the highest of all
 * (`vm_unmapped_area`).
 */
export function findFreeRange(mm: Mm, length: number, alignment: number): number {
  const bottom = 16 * mm.pageSize;
  let address = mm.areas.findGapBelow(mm.gapHint, bottom, length, alignment);
  if (address < 0) address = mm.areas.findGapBelow(mm.machine.mmapTop, bottom, length, alignment);
  if (address < 0) return -ENOMEM;
  if (alignment === mm.pageSize) mm.gapHint = address;
  return address;
}

/** The area's flags from protection, sharing and how the file was opened (`do_mmap`); or -EACCES (MM-04, PE-02). */
function areaFlags(request: MmapRequest, file: OpenFile | undefined): number {
  const { protection } = request;
  let flags = (protection & VM_ACCESS_FLAGS) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  if (request.locking === "locked") flags |= VM_LOCKED;
  if (file === undefined) return request.sharing === "shared" ? flags | VM_SHARED | VM_MAYSHARE : flags;
  if (file.mode === "write") return -EACCES;
  if (request.sharing === "private") return flags;
  if (file.mode === "read") {
    if ((protection & VM_WRITE) !== 0) return -EACCES;
    return (flags & ~VM_MAYWRITE) | VM_MAYSHARE;
  }
  return flags | VM_SHARED | VM_MAYSHARE;
}

/**
 * Runs the driver's mmap hook on an area that nobody else can find yet. When it fails, what it mapped is cleared, and
 * neither open nor close runs: the area's operations are not its own any more (MM-08).
 */
function* askDriver(area: Vma, file: OpenFile): Sleepable<number> {
  const { machine } = area.mm;
  const { start, end } = area;
  const mayFlags = area.flags & (VM_ACCESS_FLAGS << MAY_SHIFT);
  const { operations } = file;
  const name = { plugin: operations.name, hook: "mmap" };
  const refusal = yield* callErrnoHook(machine, name, () => operations.mmap?.(file, area));
  if (area.start !== start || area.end !== end) {
    machine.violations.report(
      "area-rule",
      `the mmap hook of ${operations.name} moved the bounds of ${area}`,
      { object: String(area) },
    );
    area.start = start;
    area.end = end;
  }
  if ((area.flags & (VM_ACCESS_FLAGS << MAY_SHIFT) & ~mayFlags) !== 0) {
    machine.violations.report(
      "area-rule",
      `the mmap hook of ${operations.name} added a MAY flag to ${area}`,
      { object: String(area) },
    );
  }
  if (refusal === 0) return 0;
  area.ops = undefined;
  yield* clearAreas(area.mm, [area], start, end);
  yield* machine.dropFile(file);
  return refusal;
}

/** Whether an area whose flags the driver has changed could be made one with a neighbour that has them. */
function* mergeAsked(area: Vma): Sleepable<boolean> {
  const { mm } = area;
  const joined = yield* mergeRange(mm, area);
  if (joined === undefined) return false;
  // The driver's hook may have made it findable already.
  yield* unlink(area);
  charge(mm, area.flags, area.pages);
  yield* mm.machine.dropFile(area.file);
  return true;
}

/** Puts pages on an mm's totals (`vm_stat_account`, `locked_vm`). */
export function charge(mm: Mm, flags: number, pages: number): void {
  mm.charge(pages, (flags & VM_LOCKED) !== 0 ? pages : 0);
}

/** Puts a finished area on its mm's map and into the reverse map, and charges it (`vma_link`). */
export function* link(area: Vma): Sleepable<void> {
  const { mm } = area;
  if ((area.flags & VM_SPECIAL) !== 0) area.flags &= ~VM_LOCKED;
  mm.areas.insert(area);
  charge(mm, area.flags, area.pages);
  if (area.mapping === undefined) return;
  yield* area.mapping.lock.write();
  area.mapping.link(area);
  area.mapping.lock.unlockWrite();
}
