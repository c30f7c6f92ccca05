import { VM_DONTCOPY, VM_DONTDUMP, VM_IO, VM_LOCKED, VM_PFNMAP, VM_SPECIAL } from "../contract/area-flags.ts";
import { EAGAIN, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { changeAreaFlags } from "./change-flags.ts";
import type { Mm } from "./mm.ts";
import { pageAlign, wraps } from "./munmap.ts";
import { populateRange } from "./populate.ts";
import type { Vma } from "./vma.ts";
import { zapRange } from "./zap.ts";

/** What the process says about a range (`MADV_*`). */
export type Advice =
  | "dontneed"
  | "dontfork"
  | "dofork"
  | "dontdump"
  | "dodump"
  | "populate-read"
  | "populate-write";

/** Advice about areas, which is given to one after the other. */
type AreaAdvice = Exclude<Advice, "populate-read" | "populate-write">;
/** Advice that is a flag of an area. */
type Mark = Exclude<AreaAdvice, "dontneed">;

const adviceNumbers: Readonly<Record<Advice, number>> = {
  dontneed: 4,
  dontfork: 10,
  dofork: 11,
  dontdump: 16,
  dodump: 17,
  "populate-read": 22,
  "populate-write": 23,
};

/**
 * `madvise(2)` on `[address, address + length)`.
 *
 * @returns 0; -EINVAL unaligned, for a range that wraps, or for what the area's kind forbids (PF-09); -ENOMEM when part of the range is not
 *   mapped, after the rest was done; -EAGAIN when an area had to be split and could not be; what `populateRange`
 *   answers
 */
export function* madvise(mm: Mm, address: number, length: number, advice: Advice): Sleepable<number> {
  if (address % mm.pageSize !== 0 || length < 0) return -EINVAL;
  if (length === 0) return 0;
  const bytes = pageAlign(mm, length);
  if (bytes === 0 || wraps(mm, address, bytes)) return -EINVAL;
  const end = address + bytes;
  if (advice === "populate-read" || advice === "populate-write") {
    const access = advice === "populate-read" ? "read" : "write";
    const populated = yield* populateRange(mm, address, end, access);
    if (populated === 0) mm.machine.log.record("madvise", mm.id, address, adviceNumbers[advice]);
    return populated;
  }
  if (advice === "dontneed") yield* mm.lock.read();
  else yield* mm.lock.write();
  const result = yield* adviseAreas(mm, address, end, advice);
  if (advice === "dontneed") mm.lock.unlockRead();
  else mm.lock.unlockWrite();
  return result;
}

/** Area by area (`madvise_walk_vmas`): each is looked up anew, for advice may have made it one with the one before. */
function* adviseAreas(mm: Mm, start: number, end: number, advice: AreaAdvice): Sleepable<number> {
  let hole = false;
  for (let at = start; at < end; ) {
    const area = mm.areas.findEndingAbove(at);
    if (area === undefined || area.start >= end) return -ENOMEM;
    if (area.start > at) hole = true;
    const from = Math.max(area.start, at);
    const to = Math.min(area.end, end);
    const advised =
      advice === "dontneed" ? yield* discard(area, from, to) : yield* markArea(area, from, to, advice);
    if (typeof advised === "number") return advised;
    mm.machine.log.record("madvise", mm.id, from, adviceNumbers[advice]);
    at = Math.max(to, advised.end);
  }
  return hole ? -ENOMEM : 0;
}

/** Drops the pages; the next touch faults them in again (`madvise_dontneed_single_vma`). */
function* discard(area: Vma, start: number, end: number): Sleepable<Vma | number> {
  if ((area.flags & (VM_LOCKED | VM_PFNMAP)) !== 0) return -EINVAL;
  yield* zapRange(area, start, end, "even-cows", "clear");
  return area;
}

function* markArea(area: Vma, start: number, end: number, advice: Mark): Sleepable<Vma | number> {
  const flags = advisedFlags(area.flags, advice);
  if (flags < 0) return flags;
  if (flags === area.flags) return area;
  const part = yield* changeAreaFlags(area, start, end, flags);
  return part === -ENOMEM ? -EAGAIN : part;
}

function advisedFlags(flags: number, advice: Mark): number {
  switch (advice) {
    case "dontfork":
      return flags | VM_DONTCOPY;
    case "dofork":
      return (flags & VM_IO) !== 0 ? -EINVAL : flags & ~VM_DONTCOPY;
    case "dontdump":
      return flags | VM_DONTDUMP;
    case "dodump":
      return (flags & VM_SPECIAL) !== 0 ? -EINVAL : flags & ~VM_DONTDUMP;
  }
}
