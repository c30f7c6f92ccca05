import { VM_LOCKED, VM_SPECIAL } from "../contract/area-flags.ts";
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { changeAreaFlags } from "./change-flags.ts";
import type { Mm } from "./mm.ts";
import { pageAlign, wraps } from "./munmap.ts";
import { populate } from "./populate.ts";
import type { Vma } from "./vma.ts";

/**
 * `mlock(2)` and `munlock(2)` on the pages of `[address, address + length)`; of a length of 0, on the page that the address
 * lies inside (`do_mlock`), and on none where it lies at the beginning of one. Special areas stay as they are, in silence
 * and uncharged (RC-07).
 *
 * @returns 0; -EINVAL for a range that wraps; -ENOMEM over the limit, for a range with a hole, or for a page that cannot be had; -EAGAIN without memory
 */
export function* mlock(
  mm: Mm,
  address: number,
  length: number,
  locking: "lock" | "unlock",
): Sleepable<number> {
  const inPage = address % mm.pageSize;
  const start = address - inPage;
  // The sum of a large length and a small one may have more digits than a number has.
  const rest = length % mm.pageSize;
  const bytes = pageAlign(mm, length - rest + pageAlign(mm, rest + inPage));
  yield* mm.lock.write();
  const result = yield* lockAreas(mm, start, start + bytes, locking);
  mm.lock.unlockWrite();
  if (result !== 0 || locking === "unlock") return result;
  const populated = yield* populate(mm, start, start + bytes, "stop");
  if (populated === -EFAULT) return -ENOMEM;
  return populated === -ENOMEM ? -EAGAIN : populated;
}

function* lockAreas(mm: Mm, start: number, end: number, locking: "lock" | "unlock"): Sleepable<number> {
  if (locking === "lock" && !isWithinLimit(mm, mm.areas.overlapping(start, end), start, end)) return -ENOMEM;
  if (end < start || wraps(mm, start, end - start)) return -EINVAL;
  for (let at = start; at < end; ) {
    const area = mm.areas.find(at);
    if (area === undefined) return -ENOMEM;
    const changed = yield* lockPart(area, at, Math.min(area.end, end), locking);
    if (typeof changed === "number") return changed;
    at = changed.end;
  }
  return 0;
}

/** Locks or unlocks `[start, end)` of one area (`mlock_fixup`), and answers with the area that has it now. */
function* lockPart(
  area: Vma,
  start: number,
  end: number,
  locking: "lock" | "unlock",
): Sleepable<Vma | number> {
  const { mm } = area;
  const isLocked = (area.flags & VM_LOCKED) !== 0;
  if ((area.flags & VM_SPECIAL) !== 0 || isLocked === (locking === "lock")) return area;
  const part = yield* changeAreaFlags(area, start, end, area.flags ^ VM_LOCKED);
  const pages = (end - start) * mm.perPage;
  if (typeof part !== "number") mm.charge(0, locking === "lock" ? pages : -pages);
  return part;
}

/** Whether the mm may lock the whole range, pages that are locked already counted once. */
function isWithinLimit(mm: Mm, areas: readonly Vma[], start: number, end: number): boolean {
  let locked = mm.lockedPages + (end - start) * mm.perPage;
  for (const area of areas) {
    if ((area.flags & VM_LOCKED) === 0) continue;
    locked -= (Math.min(area.end, end) - Math.max(area.start, start)) * mm.perPage;
  }
  return locked <= mm.machine.settings.lockLimitPages;
}
