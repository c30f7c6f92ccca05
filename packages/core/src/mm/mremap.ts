import { VM_DONTEXPAND, VM_LOCKED, VM_MAYSHARE, VM_PFNMAP, VM_SHARED } from "../contract/area-flags.ts";
import { invariant } from "../contract/contract-violation.ts";
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { mergeRange } from "./merge.ts";
import type { Mm } from "./mm.ts";
import { charge, findFreeRange } from "./mmap.ts";
import { moveArea } from "./move-area.ts";
import { isUserRange, pageAlign, unmapAndUnlock, unmapLocked } from "./munmap.ts";
import { populate } from "./populate.ts";
import type { Vma } from "./vma.ts";

/** The arguments of `mremap(2)`. */
export interface MremapRequest {
  readonly address: number;
  /** In bytes; 0 duplicates a shared mapping (LC-16). */
  readonly oldLength: number;
  readonly newLength: number;
  /** MREMAP_MAYMOVE. */
  readonly moving?: "in-place" | "may-move";
  /** MREMAP_FIXED: where it must go. */
  readonly newAddress?: number;
  /** MREMAP_DONTUNMAP. */
  readonly oldRange?: "unmap" | "keep";
}

/**
 * `mremap(2)`: grows, shrinks, moves or duplicates a mapping.
 *
 * @returns the address; -EINVAL for bad arguments; -EFAULT when the range is not one area, or when a VM_DONTEXPAND or
 *   VM_PFNMAP area would grow (LC-14); -ENOMEM when there is no room; -EAGAIN over the limit of locked pages; what
 *   the driver's `maySplit` or `mremap` answered
 */
export function* mremap(mm: Mm, request: MremapRequest): Sleepable<number> {
  const { address } = request;
  const oldLength = pageAlign(mm, request.oldLength);
  const newLength = pageAlign(mm, request.newLength);
  const mayMove = request.moving === "may-move";
  if (address % mm.pageSize !== 0 || newLength === 0) return -EINVAL;
  if (request.newAddress !== undefined && !mayMove) return -EINVAL;
  if (request.oldRange === "keep" && (!mayMove || request.oldLength !== request.newLength)) return -EINVAL;

  yield* mm.lock.write();
  const result = isShrinking(mm, request, oldLength, newLength)
    ? yield* shrinkAndUnlock(mm, address, oldLength, newLength)
    : yield* remapAndUnlock(mm, request, oldLength, newLength);
  if (result >= 0) {
    mm.machine.log.record("mremap", mm.id, address, result);
    const area = mm.areas.find(result);
    if (area !== undefined && (area.flags & VM_LOCKED) !== 0 && newLength > oldLength) {
      yield* populate(mm, result + oldLength, result + newLength, "ignore");
    }
  }
  return result;
}

/** Whether this does nothing but unmap the end of a range that stays where it is. */
function isShrinking(mm: Mm, request: MremapRequest, oldLength: number, newLength: number): boolean {
  if (isElsewhere(request) || oldLength <= newLength) return false;
  return mm.areas.find(request.address) !== undefined;
}

/** Whether the caller has a say in where it goes, or in what becomes of the old place (`mremap_to`). */
function isElsewhere({ newAddress, oldRange }: MremapRequest): boolean {
  return newAddress !== undefined || oldRange === "keep";
}

/** Unmaps the end of a range as munmap does, down to giving the lock back early. */
function* shrinkAndUnlock(mm: Mm, address: number, oldLength: number, newLength: number): Sleepable<number> {
  const end = address + newLength;
  if (!isUserRange(mm, end, oldLength - newLength)) {
    mm.lock.unlockWrite();
    return -EINVAL;
  }
  const result = yield* unmapAndUnlock(mm, end, address + oldLength);
  return result === 0 ? address : result;
}

function* remapAndUnlock(
  mm: Mm,
  request: MremapRequest,
  oldLength: number,
  newLength: number,
): Sleepable<number> {
  const result = yield* remapLocked(mm, request, oldLength, newLength);
  mm.lock.unlockWrite();
  return result;
}

/** All but shrinking in place, with the mmap lock held for writing throughout. */
function* remapLocked(
  mm: Mm,
  request: MremapRequest,
  oldLength: number,
  newLength: number,
): Sleepable<number> {
  const { address } = request;
  let area = mm.areas.find(address);
  if (area === undefined) return -EFAULT;
  if (isElsewhere(request)) return yield* moveElsewhere(mm, request, oldLength, newLength);
  if (oldLength === newLength) return address;
  const refusal = checkResize(area, address, oldLength, newLength, request);
  if (refusal !== 0) return refusal;
  if (oldLength === area.end - address && (yield* growInPlace(area, newLength - oldLength))) return address;
  if (request.moving !== "may-move") return -ENOMEM;
  const target = findFreeRange(mm, newLength, mm.pageSize);
  if (target < 0) return target;
  area = mm.areas.find(address) as Vma;
  return yield* moveArea(area, { from: address, oldLength, to: target, newLength, oldRange: "unmap" });
}

/** MREMAP_FIXED and MREMAP_DONTUNMAP (`mremap_to`). */
function* moveElsewhere(
  mm: Mm,
  request: MremapRequest,
  oldLength: number,
  newLength: number,
): Sleepable<number> {
  const { address, newAddress } = request;
  let length = oldLength;
  if (newAddress !== undefined) {
    if (newAddress % mm.pageSize !== 0 || !isUserRange(mm, newAddress, newLength)) return -EINVAL;
    if (address + oldLength > newAddress && newAddress + newLength > address) return -EINVAL;
  }
  // As many areas as the worst case of all that follows may add, so that nothing is unmapped for a move that fails.
  if (mm.areas.size + 2 >= mm.machine.settings.maxAreas - 3) return -ENOMEM;
  if (newAddress !== undefined) {
    const cleared = yield* unmapLocked(mm, newAddress, newLength);
    if (cleared !== 0) return cleared;
  }
  if (oldLength > newLength) {
    if (!isUserRange(mm, address + newLength, oldLength - newLength)) return -EINVAL;
    const shrunk = yield* unmapLocked(mm, address + newLength, oldLength - newLength);
    if (shrunk !== 0) return shrunk;
    length = newLength;
  }
  const area = mm.areas.find(address);
  if (area === undefined) return -EFAULT;
  const refusal = checkResize(area, address, length, newLength, request);
  if (refusal !== 0) return refusal;
  const target = newAddress ?? findFreeRange(mm, newLength, mm.pageSize);
  if (target < 0) return target;
  const oldRange = request.oldRange ?? "unmap";
  return yield* moveArea(area, { from: address, oldLength: length, to: target, newLength, oldRange });
}

/** Whether the area may be resized so (`vma_to_resize`): 0 or a negated errno. */
function checkResize(
  area: Vma,
  address: number,
  oldLength: number,
  newLength: number,
  request: MremapRequest,
): number {
  const { mm } = area;
  const isFixedSize = (area.flags & (VM_DONTEXPAND | VM_PFNMAP)) !== 0;
  if (oldLength === 0 && (area.flags & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL;
  if (request.oldRange === "keep" && isFixedSize) return -EINVAL;
  if (oldLength > area.end - address) return -EFAULT;
  if (newLength === oldLength) return 0;
  if (isFixedSize) return -EFAULT;
  const grown = (newLength - oldLength) * mm.perPage;
  const isOverLimit = mm.lockedPages + grown > mm.machine.settings.lockLimitPages;
  return (area.flags & VM_LOCKED) !== 0 && isOverLimit ? -EAGAIN : 0;
}

/**
 * Takes the free room behind the area if there is enough, and what lies behind that if it fits; no hook is asked (LC-15).
 * One with a `close` hook is widened by itself (`mremap`, 6.1 since commit d014cd7c1c35): it may not be made one with
 * another, and the merge would give the room to an area behind it that may.
 */
function* growInPlace(area: Vma, bytes: number): Sleepable<boolean> {
  const { mm } = area;
  const end = area.end + bytes;
  if (end > mm.machine.geometry.userEnd) return false;
  if (mm.areas.overlapping(area.end, end).length > 0) return false;
  const { file, flags, lineage, mapping } = area;
  const grown = { start: area.end, end, flags, file, pgoff: area.pgoffOf(area.end), lineage };
  charge(mm, flags, bytes * mm.perPage);
  if (area.ops?.close === undefined && (yield* mergeRange(mm, grown)) !== undefined) return true;
  invariant(mapping !== undefined, "memory without a file grows by becoming one with what it grows by");
  yield* mapping.lock.write();
  mapping.unlink(area);
  mm.areas.resize(area, area.start, end, area.pgoff);
  mapping.link(area);
  mapping.lock.unlockWrite();
  return true;
}
