import { VM_LOCKED, VM_SPECIAL } from "../contract/area-flags.ts";
import { EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Mm } from "./mm.ts";
import { isolate } from "./mprotect.ts";
import { isUserRange, pageAlign } from "./munmap.ts";
import { populate } from "./populate.ts";

/**
 * `mlock(2)` and `munlock(2)` on the pages of `[address, address + length)`. Special areas stay as they are, in silence
 * and uncharged (RC-07).
 *
 * @returns 0; -ENOMEM over the limit or for a range with a hole; -EINVAL outside the user half
 */
export function* mlock(
  mm: Mm,
  address: number,
  length: number,
  locking: "lock" | "unlock",
): Sleepable<number> {
  const start = address - (address % mm.pageSize);
  const end = address + length;
  if (length === 0) return 0;
  const bytes = pageAlign(mm, end - start);
  if (!isUserRange(mm, start, bytes)) return -EINVAL;
  yield* mm.lock.write();
  const result = yield* lockAreas(mm, start, start + bytes, locking);
  mm.lock.unlockWrite();
  if (result === 0 && locking === "lock") yield* populate(mm, start, start + bytes);
  return result;
}

function* lockAreas(mm: Mm, start: number, end: number, locking: "lock" | "unlock"): Sleepable<number> {
  const areas = mm.areas.overlapping(start, end);
  const more = locking === "lock" ? (end - start) * mm.perPage : 0;
  if (mm.lockedPages + more > mm.machine.settings.lockLimitPages) return -ENOMEM;
  let covered = start;
  for (const area of areas) {
    if (area.start > covered) return -ENOMEM;
    const from = Math.max(area.start, start);
    covered = Math.min(area.end, end);
    const isLocked = (area.flags & VM_LOCKED) !== 0;
    if ((area.flags & VM_SPECIAL) !== 0 || isLocked === (locking === "lock")) continue;
    const part = yield* isolate(area, from, covered);
    if (typeof part === "number") return part;
    part.flags ^= VM_LOCKED;
    mm.lockedPages += locking === "lock" ? part.pages : -part.pages;
  }
  return covered < end ? -ENOMEM : 0;
}
