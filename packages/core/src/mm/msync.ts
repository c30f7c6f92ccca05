import { VM_LOCKED } from "../contract/area-flags.ts";
import { EBUSY, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Mm } from "./mm.ts";
import { pageAlign, wraps } from "./munmap.ts";

/** How `msync` is asked: MS_ASYNC or MS_SYNC, and MS_INVALIDATE besides. */
export interface MsyncRequest {
  readonly writing?: "async" | "sync";
  readonly others?: "keep" | "invalidate";
}

/**
 * `msync(2)`: nothing here has a disk behind it, so all that is left are its errors. Bare pfn areas take part (PF-09).
 *
 * @returns 0; -EINVAL unaligned; -EBUSY when a locked area is to be invalidated; -ENOMEM for a range that wraps, and for a
 *   hole, after the rest
 */
export function* msync(mm: Mm, address: number, length: number, request: MsyncRequest): Sleepable<number> {
  if (address % mm.pageSize !== 0) return -EINVAL;
  const bytes = pageAlign(mm, length);
  if (length < 0 || wraps(mm, address, bytes)) return -ENOMEM;
  if (bytes === 0) return 0;
  const end = address + bytes;
  yield* mm.lock.read();
  const result = syncAreas(mm, address, end, request);
  mm.lock.unlockRead();
  return result;
}

function syncAreas(mm: Mm, start: number, end: number, { others }: MsyncRequest): number {
  let covered = start;
  let hasHole = false;
  for (const area of mm.areas.overlapping(start, end)) {
    if (area.start > covered) hasHole = true;
    if (others === "invalidate" && (area.flags & VM_LOCKED) !== 0) return -EBUSY;
    covered = Math.min(area.end, end);
  }
  return hasHole || covered < end ? -ENOMEM : 0;
}
