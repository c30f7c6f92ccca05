import {
  MAY_SHIFT,
  VM_ACCESS_FLAGS,
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
import type { Mm } from "./mm.ts";
import { clearAreas, isUserRange, pageAlign, unmapLocked } from "./munmap.ts";
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
  /** The open file to show, or undefined for anonymous memory. */
  readonly file?: OpenFile | undefined;
  /** The object's page that the mapping starts with. */
  readonly pgoff?: number;
}

/** Lengths in bytes are below this, so that rounding one up to pages can wrap (MM-02). */
const ADDRESS_LIMIT = 2 ** 64;
/** Object offsets are counted in pages below this, so that offset plus length can wrap (MM-03). */
const PGOFF_LIMIT = 2 ** 52;

/**
 * `mmap(2)`: checks the arguments, removes what a fixed mapping covers, and asks the driver.
 *
 * @returns the address, or a negated errno: -EINVAL, -ENOMEM, -EOVERFLOW, -EACCES, -ENODEV, -EEXIST, -EAGAIN, or what
 *   the driver's hook answered
 */
export function* mmap(mm: Mm, request: MmapRequest): Sleepable<number> {
  const { machine } = mm;
  if (request.length <= 0) return -EINVAL;
  const length = pageAlign(mm, request.length);
  if (length >= ADDRESS_LIMIT) return -ENOMEM;
  const isSharedMemory = request.file === undefined && request.sharing === "shared";
  const pgoff = isSharedMemory ? 0 : (request.pgoff ?? 0);
  if (pgoff + length * mm.perPage > PGOFF_LIMIT) return -EOVERFLOW;
  if (length > machine.geometry.userEnd) return -ENOMEM;

  yield* mm.lock.write();
  const result = yield* mapLocked(mm, request, length, pgoff);
  mm.lock.unlockWrite();
  if (result < 0) return result;
  machine.log.record("mmap", mm.id, result, length * mm.perPage);
  const area = mm.areas.find(result);
  const mustPopulate =
    request.populating === "populate" || (area !== undefined && (area.flags & VM_LOCKED) !== 0);
  if (mustPopulate) yield* populate(mm, result, result + length, "ignore");
  return result;
}

function* mapLocked(mm: Mm, request: MmapRequest, length: number, pgoff: number): Sleepable<number> {
  const { machine } = mm;
  const { file } = request;
  if (mm.areas.size > machine.settings.maxAreas) return -ENOMEM;
  const address = findRange(mm, request, length);
  if (address < 0) return address;
  if (
    request.locking === "locked" &&
    mm.lockedPages + length * mm.perPage > machine.settings.lockLimitPages
  ) {
    return -EAGAIN;
  }
  const flags = areaFlags(request);
  if (flags < 0) return flags;
  if (file !== undefined && file.operations.mmap === undefined) return -ENODEV;

  const replaced = yield* unmapLocked(mm, address, length);
  if (replaced !== 0) return replaced;
  if (!machine.mayAllocateArea()) return -ENOMEM;
  const isSharedMemory = file === undefined && request.sharing === "shared";
  const backingFile = isSharedMemory ? machine.sharedMemory.createUnnamed(length) : file;
  if (isSharedMemory && backingFile === undefined) return -ENOMEM;
  const area = new Vma(mm, { start: address, end: address + length, pgoff, flags, file: backingFile });
  if (backingFile !== undefined) {
    if (file !== undefined) machine.keepFile(file);
    const refusal = yield* askDriver(area, backingFile);
    if (refusal !== 0) return refusal;
  }
  yield* link(area);
  return address;
}

/** Where the mapping goes: the caller's place, or the highest free range (`get_unmapped_area`). */
function findRange(mm: Mm, request: MmapRequest, length: number): number {
  const { machine } = mm;
  const hint = request.address ?? 0;
  if (request.placement === "fixed" || request.placement === "fixed-noreplace") {
    if (hint % mm.pageSize !== 0) return -EINVAL;
    if (!isUserRange(mm, hint, length)) return -ENOMEM;
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
function areaFlags(request: MmapRequest): number {
  const { file, protection } = request;
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
    machine.violations.report("area-rule", `the mmap hook of ${operations.name} moved the bounds of ${area}`);
    area.start = start;
    area.end = end;
  }
  if ((area.flags & (VM_ACCESS_FLAGS << MAY_SHIFT) & ~mayFlags) !== 0) {
    machine.violations.report("area-rule", `the mmap hook of ${operations.name} added a MAY flag to ${area}`);
  }
  if (refusal === 0) return 0;
  area.ops = undefined;
  yield* clearAreas(area.mm, [area], start, end);
  yield* machine.dropFile(file);
  return refusal;
}

/** Puts a finished area on its mm's map and into the reverse map, and charges it (`vma_link`). */
export function* link(area: Vma): Sleepable<void> {
  const { mm } = area;
  if ((area.flags & VM_SPECIAL) !== 0) area.flags &= ~VM_LOCKED;
  mm.areas.insert(area);
  mm.totalPages += area.pages;
  if ((area.flags & VM_LOCKED) !== 0) mm.lockedPages += area.pages;
  if (area.mapping === undefined) return;
  yield* area.mapping.lock.write();
  area.mapping.link(area);
  area.mapping.lock.unlockWrite();
}
